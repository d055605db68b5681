"""Differences and links with the range that each could lie in, ready to be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from sync.language import gettext as _
from sync.language import localize_number
from web.charts import intervals
from web.charts.intervals import IntervalRow
from web.dashboard.run_links import (
    RunLink,
    build_answer_links,
    build_sentence_links,
)

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel

MAX_STEPS = 2.0  # a mood difference beyond two steps of four ends at the edge
MAX_LINK = 1.0
_CLEAR_VERDICTS = frozenset({"higher", "lower"})
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One question: its sentence, and a drawing once there are enough answers.

    `answer_links` lead to the runs behind the answers of today, `sentence_links` to
    those behind the numbers in the sentence.
    """

    title: str
    sentence: str
    notes: Sequence[str]
    sentence_links: Sequence[RunLink]
    answers: int
    answer_links: Sequence[RunLink]
    center: str
    low: str
    high: str
    interval: tuple[float, float, float] | None
    svg: Markup | None
    label: str


def build_difference_rows(panels: Sequence["Panel"]) -> list[PanelRow]:
    """Draw differences of two groups on one axis of mood steps."""
    intervals_by_panel = {
        panel.name: (panel.difference.difference, *panel.difference.i95)
        for panel in panels
        if panel.difference is not None
    }
    return _build_rows(panels, intervals_by_panel, max_value=MAX_STEPS)


def build_link_rows(panels: Sequence["Panel"]) -> list[PanelRow]:
    """Draw rank links on one axis, from -1 opposite to +1 together."""
    intervals_by_panel = {
        panel.name: (panel.link.rho, *panel.link.i95)
        for panel in panels
        if panel.link is not None
    }
    return _build_rows(panels, intervals_by_panel, max_value=MAX_LINK)


def _build_rows(
    panels: Sequence["Panel"],
    intervals_by_panel: dict[str, tuple[float, float, float]],
    *,
    max_value: float,
) -> list[PanelRow]:
    drawable = {
        name: interval
        for name, interval in intervals_by_panel.items()
        if isfinite(interval[0])
    }
    is_clear = {panel.name: panel.verdict in _CLEAR_VERDICTS for panel in panels}
    drawing = intervals.draw(
        [
            IntervalRow(*interval, is_clear=is_clear[name])
            for name, interval in drawable.items()
        ],
        max_half_width=max_value,
    )
    svgs = dict(zip(drawable, drawing.rows, strict=True))
    return [_build_row(panel, drawable.get(panel.name), svgs) for panel in panels]


def _build_row(
    panel: "Panel",
    interval: tuple[float, float, float] | None,
    svgs: dict[str, Markup],
) -> PanelRow:
    center, low, high = (
        (format_signed(value) for value in interval) if interval else ("–", "–", "–")
    )
    return PanelRow(
        title=panel.title,
        sentence=panel.sentence,
        notes=panel.notes,
        sentence_links=[] if panel.is_exploratory else build_sentence_links(panel),
        answers=panel.answer_count,
        answer_links=build_answer_links(panel),
        center=center,
        low=low,
        high=high,
        interval=interval,
        svg=svgs.get(panel.name),
        label=(
            _(
                "%(middle)s, anywhere from %(low)s to %(high)s",
                middle=center,
                low=low,
                high=high,
            )
            if interval
            else ""
        ),
    )


def format_signed(value: float) -> str:
    if not isfinite(value):
        return _("no end")
    text = f"{value:+.1f}".replace("-", _MINUS)
    return localize_number("0.0" if text in {"+0.0", f"{_MINUS}0.0"} else text)
