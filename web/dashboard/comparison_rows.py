"""Differences and links with the range that each could lie in, ready to be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from sync.language import gettext as _
from sync.language import localized
from web.charts import intervals
from web.charts.intervals import Row
from web.dashboard.run_links import SIDES, Count, counts, said

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel

MOST_STEPS = 2.0  # a mood difference beyond two steps of four ends at the edge
MOST_LINK = 1.0
_CLEAR = frozenset({"higher", "lower"})
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One question: its sentence, and a drawing once there are enough answers.

    `counts` lead to the runs behind the answers of today, `said` to those behind the
    numbers in the sentence.
    """

    title: str
    sides: str
    sentence: str
    notes: Sequence[str]
    said: Sequence[Count]
    answers: int
    counts: Sequence[Count]
    middle: str
    low: str
    high: str
    ends: tuple[float, float, float] | None
    svg: Markup | None
    label: str


def differences(panels: Sequence["Panel"]) -> list[PanelRow]:
    """Draw differences of two groups on one axis of mood steps."""
    found = {
        panel.name: (panel.difference.difference, *panel.difference.i95)
        for panel in panels
        if panel.difference is not None
    }
    return _rows(panels, found, most=MOST_STEPS)


def links(panels: Sequence["Panel"]) -> list[PanelRow]:
    """Draw rank links on one axis, from -1 opposite to +1 together."""
    found = {
        panel.name: (panel.link.rho, *panel.link.i95)
        for panel in panels
        if panel.link is not None
    }
    return _rows(panels, found, most=MOST_LINK)


def _rows(
    panels: Sequence["Panel"],
    found: dict[str, tuple[float, float, float]],
    *,
    most: float,
) -> list[PanelRow]:
    drawable = {name: ends for name, ends in found.items() if isfinite(ends[0])}
    is_clear = {panel.name: panel.verdict in _CLEAR for panel in panels}
    drawn = intervals.draw(
        [Row(*ends, is_clear=is_clear[name]) for name, ends in drawable.items()],
        most=most,
    )
    svgs = dict(zip(drawable, drawn.rows, strict=True))
    return [_row(panel, drawable.get(panel.name), svgs) for panel in panels]


def _row(
    panel: "Panel",
    ends: tuple[float, float, float] | None,
    svgs: dict[str, Markup],
) -> PanelRow:
    middle, low, high = (signed(end) for end in ends) if ends else ("–", "–", "–")
    first, second = SIDES.get(panel.name, ("", ""))
    return PanelRow(
        title=panel.title,
        sides=(
            _("%(first)s, less %(second)s", first=_(first), second=_(second))
            if first
            else ""
        ),
        sentence=panel.sentence,
        notes=panel.notes,
        said=[] if panel.exploring else said(panel),
        answers=panel.answers,
        counts=counts(panel),
        middle=middle,
        low=low,
        high=high,
        ends=ends,
        svg=svgs.get(panel.name),
        label=(
            _(
                "%(middle)s, anywhere from %(low)s to %(high)s",
                middle=middle,
                low=low,
                high=high,
            )
            if ends
            else ""
        ),
    )


def signed(value: float) -> str:
    if not isfinite(value):
        return _("no end")
    text = f"{value:+.1f}".replace("-", _MINUS)
    return localized("0.0" if text in {"+0.0", f"{_MINUS}0.0"} else text)
