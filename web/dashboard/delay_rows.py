"""Rows of the panel about drawn delays: each delay beside the shortest one."""

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


def build_slope_row(panel: "Panel") -> PanelRow:
    """Return the panel's sentence with its slope in steps an hour; it has no drawing.

    The rows of its delays are drawn instead.
    """
    slope = panel.delay_slope
    if slope is None or not isfinite(slope.value):
        return build_row(panel, None, None)
    is_clear = panel.verdict in CLEAR_VERDICTS
    return build_row(panel, IntervalRow(slope.value, *slope.i95, is_clear), None)


def build_delay_rows(panel: "Panel") -> list[PanelRow]:
    """Return a row for each drawn delay, drawn on one axis of mood steps."""
    intervals_by_hours = {
        group.hours: IntervalRow(
            group.contrast.difference, *group.contrast.i95, is_clear=False
        )
        for group in panel.delays
        if group.contrast is not None
    }
    drawing = intervals.draw(
        list(intervals_by_hours.values()), max_half_width=MAX_STEPS
    )
    svgs = dict(zip(intervals_by_hours, drawing.rows, strict=True))
    return [
        _build_delay_row(
            group, intervals_by_hours.get(group.hours), svgs.get(group.hours)
        )
        for group in panel.delays
    ]


def _build_delay_row(
    group: "DelayGroup", interval: IntervalRow | None, svg: Markup | None
) -> PanelRow:
    answered_text = _(
        "%(n)s of %(asked)s answered", n=group.answered_count, asked=group.asked_count
    )
    sentence = answered_text
    center = low = high = "–"
    if group.contrast is not None and interval is not None:
        mean_text = _("mean mood %(mood)s", mood=format_signed(group.contrast.mean))
        sentence = f"{answered_text}, {mean_text}"
        center = format_signed(interval.center)
        low, high = format_end(interval.low), format_end(interval.high)
    title = (
        ngettext("%(n)s hour later", "%(n)s hours later", group.hours)
        if group.hours
        else _("Straight away")
    )
    return PanelRow(
        title=title,
        sentence=sentence,
        notes=(),
        sentence_links=[],
        answers=group.answered_count,
        answer_links=[RunLink(answered_text, None)],
        center=center,
        low=low,
        high=high,
        interval=interval,
        svg=svg,
        label=build_interval_label(interval) if interval else "",
    )
