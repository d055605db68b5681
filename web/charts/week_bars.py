"""Distance week by week, as bars over one time axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from web.charts.scale import AxisLabel, compute_top, list_month_labels

WIDTH, HEIGHT = 1000, 200
_BAR_FILL = 0.72


@dataclass(frozen=True, slots=True)
class WeekDistance:
    """A week by its first day, and the distance run in it."""

    day: date
    distance: float


@dataclass(frozen=True, slots=True)
class WeekBars:
    """The drawn chart; `top` is the value at its upper edge."""

    svg: Markup
    months: list[AxisLabel]
    top: int


def draw(weeks: Sequence[WeekDistance]) -> WeekBars:
    """Draw one bar for each week, oldest first."""
    top = compute_top([week.distance for week in weeks])
    week_width = WIDTH / max(1, len(weeks))
    bars = "".join(
        f'<rect x="{(index + (1 - _BAR_FILL) / 2) * week_width:.1f}" '
        f'y="{HEIGHT - HEIGHT * week.distance / top:.1f}" '
        f'width="{week_width * _BAR_FILL:.1f}" '
        f'height="{HEIGHT * week.distance / top:.1f}"/>'
        for index, week in enumerate(weeks)
        if week.distance
    )
    line_path = "".join(f"M0 {y:g}H{WIDTH}" for y in (0, HEIGHT / 2, HEIGHT))
    lines = f'<path class="row" d="{line_path}"/>'
    return WeekBars(
        svg=Markup(lines + bars),  # noqa: S704 - numbers only
        months=list_month_labels([week.day for week in weeks]),
        top=top,
    )
