"""Distance week by week, as bars over one time axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from web.charts.scale import choose_tick_step
from web.formats import format_month

WIDTH, HEIGHT = 1000, 200
_BAR_FILL = 0.72
_MIN_MONTH_GAP = 12  # percent of the width that a name needs on a phone
_MIN_TOP = 10.0


@dataclass(frozen=True, slots=True)
class WeekBars:
    """The drawn chart; month names sit at percentages of its width."""

    svg: Markup
    months: list[tuple[str, float]]
    top: int


def draw(weeks: Sequence[tuple[date, float]]) -> WeekBars:
    """Draw one bar for each (first day, distance), oldest first."""
    highest = max([distance for _, distance in weeks] + [_MIN_TOP])
    step = choose_tick_step(highest)
    top = math.ceil(highest / step) * step
    week_width = WIDTH / max(1, len(weeks))
    bars = "".join(
        f'<rect x="{(index + (1 - _BAR_FILL) / 2) * week_width:.1f}" '
        f'y="{HEIGHT - HEIGHT * distance / top:.1f}" '
        f'width="{week_width * _BAR_FILL:.1f}" '
        f'height="{HEIGHT * distance / top:.1f}"/>'
        for index, (_, distance) in enumerate(weeks)
        if distance
    )
    line_path = "".join(f"M0 {y:g}H{WIDTH}" for y in (0, HEIGHT / 2, HEIGHT))
    lines = f'<path class="row" d="{line_path}"/>'
    return WeekBars(
        svg=Markup(lines + bars),  # noqa: S704 - numbers only
        months=list_month_labels([day for day, _ in weeks]),
        top=top,
    )


def list_month_labels(days: Sequence[date]) -> list[tuple[str, float]]:
    """Name the months that begin along an axis of `days`, as many as have room."""
    labels: list[tuple[str, float]] = []
    for index, day in enumerate(days):
        is_month_start = index == 0 or day.month != days[index - 1].month
        x_percent = round(100 * index / len(days), 2)
        if is_month_start and (
            not labels or x_percent - labels[-1][1] >= _MIN_MONTH_GAP
        ):
            labels.append((format_month(day), x_percent))
    return labels
