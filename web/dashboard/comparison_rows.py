"""Rows of panels: a difference or a link with its interval, on one common axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from sync.language import format_signed
from sync.language import gettext as _
from web.charts import intervals
from web.charts.intervals import IntervalRow
from web.dashboard.run_links import (
    RunLink,
    build_answer_links,
    build_sentence_links,
)

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel

MAX_STEPS = 2.0  # mood steps of four; a larger difference is clipped at the edge
MAX_LINK = 1.0
CLEAR_VERDICTS = frozenset({"higher", "lower"})


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One question: its sentence, and a drawing once there are enough answers.

    `answer_links` lead to the runs of all answers, `sentence_links` to those behind
    the numbers in the sentence.
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
    words_low: str
    words_high: str
    interval: IntervalRow | None
    svg: Markup | None
    label: str


def build_difference_rows(panels: Sequence["Panel"]) -> list[PanelRow]:
    """Draw differences of two groups on one axis of mood steps."""
    intervals_by_panel = {
        panel.name: _build_interval(
            panel, panel.difference.difference, panel.difference.i95
        )
        for panel in panels
        if panel.difference is not None
    }
    return _build_rows(panels, intervals_by_panel, max_value=MAX_STEPS)


def build_link_rows(panels: Sequence["Panel"]) -> list[PanelRow]:
    """Draw rank links on one axis, from -1 opposite to +1 together."""
    intervals_by_panel = {
        panel.name: _build_interval(panel, panel.link.rho, panel.link.i95)
        for panel in panels
        if panel.link is not None
    }
    return _build_rows(panels, intervals_by_panel, max_value=MAX_LINK)


def _build_interval(
    panel: "Panel", center: float, i95: tuple[float, float]
) -> IntervalRow:
    words_low, words_high = panel.words_interval or i95
    return IntervalRow(
        center,
        *i95,
        words_low=words_low,
        words_high=words_high,
        is_clear=panel.verdict in CLEAR_VERDICTS,
    )


def _build_rows(
    panels: Sequence["Panel"],
    intervals_by_panel: Mapping[str, IntervalRow],
    *,
    max_value: float,
) -> list[PanelRow]:
    drawable = {
        name: interval
        for name, interval in intervals_by_panel.items()
        if isfinite(interval.center)
    }
    drawing = intervals.draw(list(drawable.values()), max_half_width=max_value)
    svgs = dict(zip(drawable, drawing.rows, strict=True))
    return [
        build_row(panel, drawable.get(panel.name), svgs.get(panel.name))
        for panel in panels
    ]


def build_row(
    panel: "Panel", interval: IntervalRow | None, svg: Markup | None
) -> PanelRow:
    """Return the texts, the links and the drawing of one panel."""
    center = low = high = words_low = words_high = "–"
    label = ""
    if interval is not None:
        center = format_signed(interval.center)
        low, high = format_end(interval.low), format_end(interval.high)
        words_low, words_high = (
            format_end(interval.words_low),
            format_end(interval.words_high),
        )
        label = _(
            "%(middle)s, anywhere from %(low)s to %(high)s; words go by %(words_low)s "
            "to %(words_high)s",
            middle=center,
            low=low,
            high=high,
            words_low=words_low,
            words_high=words_high,
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
        words_low=words_low,
        words_high=words_high,
        interval=interval,
        svg=svg,
        label=label,
    )


def build_interval_label(interval: IntervalRow) -> str:
    """Say a center and its interval."""
    return _(
        "%(middle)s, anywhere from %(low)s to %(high)s",
        middle=format_signed(interval.center),
        low=format_end(interval.low),
        high=format_end(interval.high),
    )


def format_end(value: float) -> str:
    """Format an end of an interval, which may have none."""
    return format_signed(value) if isfinite(value) else _("no end")
