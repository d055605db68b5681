"""Rows of the panel about drawn delays: each delay beside the shortest one."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from sync.language import format_signed, ngettext
from sync.language import gettext as _
from web.charts import intervals
from web.charts.intervals import IntervalRow
from web.dashboard.comparison_rows import (
    CLEAR_VERDICTS,
    MAX_STEPS,
    PanelRow,
    build_interval_label,
    build_row,
    format_end,
)
from web.dashboard.run_links import RunLink

if TYPE_CHECKING:
    from sync.analytics.panels.panel import DelayGroup, Panel


@dataclass(frozen=True, slots=True)
class DelayRow:
    """One drawn delay in words, and its difference to the shortest one where drawn."""

    title: str
    sentence: str
    answers: int
    asked: int
    mean: str
    center: str
    low: str
    high: str
    interval: IntervalRow | None
    svg: Markup | None
    label: str
    notes: Sequence[str] = ()
    sentence_links: Sequence[RunLink] = ()


@dataclass(frozen=True, slots=True)
class DrawnDelaysView:
    """The question asked at drawn hours, its slope in words, and a row a delay."""

    question: PanelRow
    slope_text: str
    delays: Sequence[DelayRow]


def build_drawn_delays(panel: "Panel") -> DrawnDelaysView:
    """Return the panel's sentence, the slope over all of its hours, and its delays."""
    answered_hours = [group.hours for group in panel.delays if group.answered_count]
    span_h = max(answered_hours, default=0) - min(answered_hours, default=0)
    slope = panel.delay_slope
    interval = None
    if slope is not None and isfinite(slope.value):
        low, high = slope.i95
        words_low, words_high = panel.words_interval or slope.i95
        interval = IntervalRow(
            slope.value * span_h,
            low * span_h,
            high * span_h,
            words_low * span_h,
            words_high * span_h,
            is_clear=panel.verdict in CLEAR_VERDICTS,
        )
    question = build_row(panel, interval, None)
    return DrawnDelaysView(
        question=question,
        slope_text=ngettext(
            "Steps of mood over %(n)s hour: %(range)s.",
            "Steps of mood over %(n)s hours: %(range)s.",
            span_h,
            range=question.label,
        )
        if interval
        else "",
        delays=build_delay_rows(panel.delays),
    )


def build_delay_rows(groups: Sequence["DelayGroup"]) -> list[DelayRow]:
    """Return a row for each drawn delay, drawn on one axis of mood steps."""
    compared = [group for group in groups if group.contrast is not None]
    intervals_by_hours = {
        group.hours: IntervalRow(
            group.contrast.difference,
            # No words are said about one delay alone.
            *group.contrast.i95,
            *group.contrast.i95,
            is_clear=False,
        )
        # The first is what the others are set against.
        for group in compared[1:]
        if group.contrast is not None
    }
    drawing = intervals.draw(
        list(intervals_by_hours.values()), max_half_width=MAX_STEPS
    )
    svgs = dict(zip(intervals_by_hours, drawing.rows, strict=True))
    return [
        _build_delay_row(
            group,
            intervals_by_hours.get(group.hours),
            svgs.get(group.hours),
            is_reference=group in compared[:1] and len(compared) > 1,
        )
        for group in groups
    ]


def _build_delay_row(
    group: "DelayGroup",
    interval: IntervalRow | None,
    svg: Markup | None,
    *,
    is_reference: bool,
) -> DelayRow:
    parts = [
        _(
            "%(n)s of %(asked)s answered",
            n=group.answered_count,
            asked=group.asked_count,
        )
    ]
    mean = "–"
    if group.contrast is not None:
        mean = format_signed(group.contrast.mean)
        parts.append(_("mean mood %(mood)s", mood=mean))
    if is_reference:
        parts.append(_("what the others are set against"))
    return DelayRow(
        title=ngettext("%(n)s hour later", "%(n)s hours later", group.hours)
        if group.hours
        else _("Straight away"),
        sentence=", ".join(parts),
        answers=group.answered_count,
        asked=group.asked_count,
        mean=mean,
        center=format_signed(interval.center) if interval else "–",
        low=format_end(interval.low) if interval else "–",
        high=format_end(interval.high) if interval else "–",
        interval=interval,
        svg=svg,
        label=build_interval_label(interval) if interval else "",
    )
