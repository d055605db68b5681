"""Answers from 0 to 100 over time, and on the same axis the distance run lately."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from web.charts.scale import step_for
from web.charts.week_bars import month_names

WIDTH, HEIGHT, UNDER = 1000, 250, 200
HIGHEST = 100
_AT_LEAST = 10.0


@dataclass(frozen=True, slots=True)
class OwnLine:
    """The line, and the distance below it; without distances `below` is None."""

    svg: Markup
    below: Markup | None
    top: int
    months: list[tuple[str, float]]


def draw(
    days: Sequence[date],
    points: Sequence[tuple[date, int]],
    distances: Sequence[float] = (),
) -> OwnLine:
    """Draw (day, 0 to 100) along `days`, oldest first, and one distance a day.

    Only the two ends of the scale have a line: a height between them means nothing.
    """
    slot = WIDTH / max(1, len(days))
    line = [
        (
            round((day.toordinal() - days[0].toordinal() + 0.5) * slot),
            round(HEIGHT - HEIGHT * value / HIGHEST),
        )
        for day, value in points
    ]
    ends = f'<path class="row" d="M0 0H{WIDTH}M0 {HEIGHT}H{WIDTH}"/>'
    dots = "".join(f"M{across} {down}h0" for across, down in line)
    highest = max([*distances, _AT_LEAST])
    step = step_for(highest)
    top = math.ceil(highest / step) * step
    below = _below(distances, top, slot) if distances else None
    return OwnLine(
        svg=Markup(  # noqa: S704 - numbers only
            f'{ends}<path class="trend" d="{_joined(line)}"/>'
            f'<path class="point" d="{dots}"/>'
        ),
        below=Markup(below) if below else None,  # noqa: S704 - numbers only
        top=top,
        months=month_names(days),
    )


def _below(distances: Sequence[float], top: int, slot: float) -> str:
    line = [
        (round((place + 0.5) * slot), round(UNDER - UNDER * distance / top))
        for place, distance in enumerate(distances)
    ]
    path = _joined(line)
    return (
        f'<path class="row" d="M0 0H{WIDTH}M0 {UNDER}H{WIDTH}"/>'
        f'<path class="band" d="{path}V{UNDER}H{line[0][0]}Z"/>'
        f'<path class="whisker" d="{path}"/>'
    )


def _joined(line: Sequence[tuple[int, int]]) -> str:
    return "M" + "L".join(f"{across} {down}" for across, down in line)
