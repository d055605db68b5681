"""Distance week by week, as bars over one time axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from web.charts.scale import step_for
from web.formats import month

WIDTH, HEIGHT = 1000, 200
_FILLED = 0.72
_MONTH_ROOM = 12  # percent of the width that a name needs on a phone
_AT_LEAST = 10.0


@dataclass(frozen=True, slots=True)
class WeekBars:
    """The drawn chart; month names sit at percentages of its width."""

    svg: Markup
    months: list[tuple[str, float]]
    top: int


def draw(weeks: Sequence[tuple[date, float]]) -> WeekBars:
    """Draw one bar for each (first day, distance), oldest first."""
    highest = max([distance for _, distance in weeks] + [_AT_LEAST])
    step = step_for(highest)
    top = math.ceil(highest / step) * step
    slot = WIDTH / max(1, len(weeks))
    bars = "".join(
        f'<rect x="{(place + (1 - _FILLED) / 2) * slot:.1f}" '
        f'y="{HEIGHT - HEIGHT * distance / top:.1f}" width="{slot * _FILLED:.1f}" '
        f'height="{HEIGHT * distance / top:.1f}"/>'
        for place, (_, distance) in enumerate(weeks)
        if distance
    )
    heights = "".join(f"M0 {down:g}H{WIDTH}" for down in (0, HEIGHT / 2, HEIGHT))
    lines = f'<path class="row" d="{heights}"/>'
    return WeekBars(
        svg=Markup(lines + bars),  # noqa: S704 - numbers only
        months=month_names([day for day, _ in weeks]),
        top=top,
    )


def month_names(days: Sequence[date]) -> list[tuple[str, float]]:
    """Name the months that begin along an axis of `days`, as many as have room."""
    names: list[tuple[str, float]] = []
    for place, day in enumerate(days):
        begins = place == 0 or day.month != days[place - 1].month
        across = round(100 * place / len(days), 2)
        if begins and (not names or across - names[-1][1] >= _MONTH_ROOM):
            names.append((month(day), across))
    return names
