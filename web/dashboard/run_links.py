"""Links from a number of the figures to the list of the runs that it counts."""

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
    """A number with its noun, and the address of its runs; check-ins have none."""

    text: str
    runs_url: str | None


@dataclass(frozen=True, slots=True)
class RunGroup:
    """The runs that one number counts, with a sentence that describes them."""

    description: str
    run_ids: frozenset[int]


def find_run_group(panels: Sequence["Panel"], group: str) -> RunGroup | None:
    """Return the runs of the number `group`; None if there is no such number."""
    for panel in panels:
        for part, run_ids in panel.contributing_runs.items():
            if _group_key(panel, part) == group:
                description = describe_part(panel, part)
                return RunGroup(description, frozenset(run_ids.tolist()))
    return None


def drop_unknown_group(run_filter: RunFilter, panels: Sequence["Panel"]) -> RunFilter:
    """Return the filter without a group that names no number of the figures."""
    if find_run_group(panels, run_filter.group):
        return run_filter
    return replace(run_filter, group="")


def build_answer_links(panel: "Panel") -> list[RunLink]:
    """Return the number of answers of each group, or of all without groups."""
    if panel.sides is None:
        count = panel.answer_count
        return [_build_link(panel, "all", count, format_thousands(count))]
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
    """Return the numbers of runs that a sentence counts.

    A sentence about a range counts the runs inside and outside, and the good ones
    there.  Before there is a sentence, all runs count.
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
        _build_link(panel, part, count, format_run_count(part, count))
        for part, count in counts_by_part.items()
        if count
    ]


def _build_link(panel: "Panel", part: "RunSubset", count: int, text: str) -> RunLink:
    run_count = len(panel.contributing_runs.get(part, ()))
    if run_count != count or not count:
        return RunLink(text, None)
    return RunLink(text, RunFilter(group=_group_key(panel, part)).runs_url())


def _group_key(panel: "Panel", part: "RunSubset") -> str:
    return f"{panel.name}.{part}"


def format_run_count(part: "RunSubset", count: int) -> str:
    """Return the number of runs of one part with its noun."""
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


def describe_part(panel: "Panel", part: "RunSubset") -> str:
    """Describe the runs of one part of a panel in a sentence."""
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
