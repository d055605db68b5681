"""Two series over time, one above the other, on one axis of days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from web.charts.layers import Point
from web.charts.scale import AxisLabel, compute_top, list_month_labels

WIDTH, UPPER_HEIGHT, LOWER_HEIGHT = 1000, 250, 200
_MAX_DOTS = 60  # more would hide the line


@dataclass(frozen=True, slots=True)
class DatedValues:
    """Values with their days, oldest first."""

    days: Sequence[date]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class TimelineDrawing:
    """Both drawings; `lower_top` is the value at the lower one's upper edge."""

    upper: Markup
    lower: Markup
    lower_top: int
    months: list[AxisLabel]


def draw(
    upper: DatedValues, lower: DatedValues, *, upper_top: float
) -> TimelineDrawing:
    """Draw the upper series from 0 to `upper_top`, the lower one from 0 to its own."""
    first_day = min(*upper.days[:1], *lower.days[:1])
    last_day = max(*upper.days[-1:], *lower.days[-1:])
    days = [first_day + timedelta(n) for n in range((last_day - first_day).days + 1)]
    lower_top = compute_top(lower.values)

    def place(series: DatedValues, top: float, height: int) -> list[Point]:
        return [
            Point(
                round(((day - first_day).days + 0.5) * WIDTH / len(days)),
                round(height - height * min(value, top) / top),
            )
            for day, value in zip(series.days, series.values, strict=True)
        ]

    return TimelineDrawing(
        upper=_draw_line(place(upper, upper_top, UPPER_HEIGHT), UPPER_HEIGHT, "trend"),
        lower=_draw_line(
            place(lower, lower_top, LOWER_HEIGHT), LOWER_HEIGHT, "whisker"
        ),
        lower_top=lower_top,
        months=list_month_labels(days),
    )


def _draw_line(points: Sequence[Point], height: int, css_class: str) -> Markup:
    """Draw a line between its two scale lines; a few points are dots, too."""
    line = "L".join(f"{x} {y}" for x, y in points)
    dots = "".join(f"M{x} {y}h0" for x, y in points if len(points) <= _MAX_DOTS)
    return Markup(  # noqa: S704 - numbers and our own names
        f'<path class="row" d="M0 0H{WIDTH}M0 {height}H{WIDTH}"/>'
        f'<path class="{css_class}" d="M{line}"/><path class="weekly" d="{dots}"/>'
    )
