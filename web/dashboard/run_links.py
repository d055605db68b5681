"""The runs behind a number of the figures: where they are listed, and in what words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sync.language import gettext as _
from sync.language import ngettext, translatable
from web.dashboard.filters import RunFilter
from web.formats import format_thousands

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel, RunSubset

_RANGE_LABELS: Mapping["RunSubset", str] = {
    "inside": translatable("in the range that is named"),
    "good_inside": translatable("Good or Great in the range that is named"),
    "outside": translatable("outside the range that is named"),
    "good_outside": translatable("Good or Great outside the range that is named"),
}


@dataclass(frozen=True, slots=True)
class RunLink:
    """A number with what it counts, and where its runs are; check-ins are nowhere."""

    text: str
    runs_url: str | None


@dataclass(frozen=True, slots=True)
class RunGroup:
    """The runs that one number counts, and what they are in one sentence."""

    description: str
    run_ids: frozenset[int]


def find_run_group(panels: Sequence["Panel"], group: str) -> RunGroup | None:
    """Return what the number `group` counts; None if there is no such number."""
    for panel in panels:
        for part, run_ids in panel.contributing_runs.items():
            if _group_key(panel, part) == group:
                return RunGroup(
                    _describe_part(panel, part), frozenset(run_ids.tolist())
                )
    return None


def drop_unknown_group(run_filter: RunFilter, panels: Sequence["Panel"]) -> RunFilter:
    """Leave out a wish for the runs behind a number that there is not."""
    return (
        run_filter
        if find_run_group(panels, run_filter.group)
        else replace(run_filter, group="")
    )


def build_answer_links(panel: "Panel") -> list[RunLink]:
    """Say how many answers a question has: on either side, or altogether."""
    if panel.sides is None:
        return [
            _build_link(
                panel, "all", panel.answer_count, format_thousands(panel.answer_count)
            )
        ]
    first_count = len(panel.contributing_runs["first"])
    counts: Sequence[tuple[RunSubset, int, str]] = (
        ("first", first_count, panel.sides.first),
        ("second", panel.answer_count - first_count, panel.sides.second),
    )
    return [
        _build_link(panel, part, count, f"{format_thousands(count)} {_(side)}")
        for part, count, side in counts
    ]


def build_sentence_links(panel: "Panel") -> list[RunLink]:
    """Lead to the runs that a sentence is about; before there is one, to all of them.

    Where it names a range, to what is inside and outside, and was good there.
    """
    parts: Sequence[RunSubset] = (
        "said",
        "inside",
        "good_inside",
        "outside",
        "good_outside",
    )
    if not len(panel.contributing_runs.get("said", ())):
        parts = ("all",)
    counts_by_part = {
        part: len(panel.contributing_runs.get(part, ())) for part in parts
    }
    return [
        _build_link(panel, part, count, _link_text(part, count))
        for part, count in counts_by_part.items()
        if count
    ]


def _build_link(panel: "Panel", part: "RunSubset", count: int, text: str) -> RunLink:
    run_count = len(panel.contributing_runs.get(part, ()))
    runs_url = f"{RunFilter(group=_group_key(panel, part)).address()}#all-runs"
    return RunLink(text, runs_url if run_count == count > 0 else None)


def _group_key(panel: "Panel", part: "RunSubset") -> str:
    return f"{panel.name}.{part}"


def _link_text(part: "RunSubset", count: int) -> str:
    n = format_thousands(count)
    match part:
        case "inside":
            return ngettext(
                "%(n)s run in this range", "%(n)s runs in this range", count, n=n
            )
        case "outside":
            return ngettext("%(n)s other run", "%(n)s other runs", count, n=n)
        case "good_inside":
            return _("%(n)s Good or Great in this range", n=n)
        case "good_outside":
            return _("%(n)s Good or Great among the others", n=n)
        case _:
            return ngettext(
                "The %(n)s run that this is about",
                "The %(n)s runs that this is about",
                count,
                n=n,
            )


def _describe_part(panel: "Panel", part: "RunSubset") -> str:
    if panel.sides is not None and part in {"first", "second"}:
        is_first = part == "first"
        part_text = _(panel.sides.first if is_first else panel.sides.second)
    elif part in _RANGE_LABELS:
        part_text = _(_RANGE_LABELS[part])
    else:
        return _("Only the runs that count for “%(question)s”.", question=panel.title)
    return _(
        "Only the runs that count for “%(question)s”: %(part)s.",
        question=panel.title,
        part=part_text,
    )
