"""The runs behind a number of the figures: where they are listed, and in what words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sync.language import gettext as _
from sync.language import ngettext, translatable
from web.dashboard.filters import Wanted
from web.formats import thousands

if TYPE_CHECKING:
    from sync.analytics.panels.contributing_runs import Part
    from sync.analytics.panels.panel import Panel

# First less second, as the figures take them.
SIDES = {
    "after_runs": (translatable("after runs"), translatable("at check-ins")),
    "stress": (translatable("after runs"), translatable("at check-ins")),
    "company": (translatable("with others"), translatable("alone")),
    "place": (translatable("indoors"), translatable("outdoors")),
    "time_of_day": (translatable("before noon"), translatable("later")),
    "race": (translatable("races"), translatable("other runs")),
    "longest": (translatable("longest so far"), translatable("other runs")),
}
_IN_RANGE: Mapping["Part", str] = {
    "inside": translatable("in the range that is named"),
    "good_inside": translatable("Good or Great in the range that is named"),
    "outside": translatable("outside the range that is named"),
    "good_outside": translatable("Good or Great outside the range that is named"),
}


@dataclass(frozen=True, slots=True)
class Count:
    """A number with what it counts, and where its runs are; check-ins are nowhere."""

    text: str
    runs_at: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """The runs that one number counts, and what they are in one sentence."""

    what: str
    run_ids: frozenset[int]


def counted(panels: Sequence["Panel"], group: str) -> Counted | None:
    """Return what the number `group` counts; None if there is no such number."""
    for panel in panels:
        for part, run_ids in panel.behind.items():
            if _group(panel, part) == group:
                return Counted(_what(panel, part), frozenset(run_ids.tolist()))
    return None


def known(wanted: Wanted, panels: Sequence["Panel"]) -> Wanted:
    """Leave out a wish for the runs behind a number that there is not."""
    return wanted if counted(panels, wanted.group) else replace(wanted, group="")


def counts(panel: "Panel") -> list[Count]:
    """Say how many answers a question has: on either side, or altogether."""
    if panel.name not in SIDES:
        return [_count(panel, "all", panel.answers, thousands(panel.answers))]
    first = len(panel.behind["first"])
    sides: Sequence[tuple[Part, int]] = (
        ("first", first),
        ("second", panel.answers - first),
    )
    return [
        _count(panel, part, many, f"{thousands(many)} {_side(panel, part)}")
        for part, many in sides
    ]


def said(panel: "Panel") -> list[Count]:
    """Lead to the runs that a sentence is about; before there is one, to all of them.

    Where it names a range, to what is inside and outside, and was good there.
    """
    parts: Sequence[Part] = ("said", "inside", "good_inside", "outside", "good_outside")
    if not len(panel.behind.get("said", ())):
        parts = ("all",)
    found = {part: len(panel.behind.get(part, ())) for part in parts}
    return [
        _count(panel, part, many, _many(part, many))
        for part, many in found.items()
        if many
    ]


def _count(panel: "Panel", part: "Part", many: int, text: str) -> Count:
    runs = len(panel.behind.get(part, ()))
    listed = f"{Wanted(group=_group(panel, part)).address()}#all-runs"
    return Count(text, listed if runs == many > 0 else None)


def _group(panel: "Panel", part: "Part") -> str:
    return f"{panel.name}.{part}"


def _side(panel: "Panel", part: "Part") -> str:
    first, second = SIDES[panel.name]
    side = first if part == "first" else second
    return _(side)


def _many(part: "Part", many: int) -> str:
    n = thousands(many)
    match part:
        case "inside":
            return ngettext(
                "%(n)s run in this range", "%(n)s runs in this range", many, n=n
            )
        case "outside":
            return ngettext("%(n)s other run", "%(n)s other runs", many, n=n)
        case "good_inside":
            return _("%(n)s Good or Great in this range", n=n)
        case "good_outside":
            return _("%(n)s Good or Great among the others", n=n)
        case _:
            return ngettext(
                "The %(n)s run that this is about",
                "The %(n)s runs that this is about",
                many,
                n=n,
            )


def _what(panel: "Panel", part: "Part") -> str:
    if part in {"first", "second"}:
        of_it = _side(panel, part)
    elif part in _IN_RANGE:
        of_it = _(_IN_RANGE[part])
    else:
        return _("Only the runs that count for “%(question)s”.", question=panel.title)
    return _(
        "Only the runs that count for “%(question)s”: %(part)s.",
        question=panel.title,
        part=of_it,
    )
