"""Answers from 0 to 100 over time, and on the same axis the distance run lately."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from web.charts.scale import choose_tick_step
from web.charts.week_bars import list_month_labels

WIDTH, HEIGHT, DISTANCE_HEIGHT = 1000, 250, 200
MAX_VALUE = 100
_MIN_TOP = 10.0


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
    day_width = WIDTH / max(1, len(days))
    line = [
        (
            round((day.toordinal() - days[0].toordinal() + 0.5) * day_width),
            round(HEIGHT - HEIGHT * value / MAX_VALUE),
        )
        for day, value in points
    ]
    scale_lines = f'<path class="row" d="M0 0H{WIDTH}M0 {HEIGHT}H{WIDTH}"/>'
    dots = "".join(f"M{x} {y}h0" for x, y in line)
    highest = max([*distances, _MIN_TOP])
    step = choose_tick_step(highest)
    top = math.ceil(highest / step) * step
    below = _draw_distances(distances, top, day_width) if distances else None
    return OwnLine(
        svg=Markup(  # noqa: S704 - numbers only
            f'{scale_lines}<path class="trend" d="{_join_points(line)}"/>'
            f'<path class="point" d="{dots}"/>'
        ),
        below=Markup(below) if below else None,  # noqa: S704 - numbers only
        top=top,
        months=list_month_labels(days),
    )


def _draw_distances(distances: Sequence[float], top: int, day_width: float) -> str:
    line = [
        (
            round((index + 0.5) * day_width),
            round(DISTANCE_HEIGHT - DISTANCE_HEIGHT * distance / top),
        )
        for index, distance in enumerate(distances)
    ]
    path = _join_points(line)
    return (
        f'<path class="row" d="M0 0H{WIDTH}M0 {DISTANCE_HEIGHT}H{WIDTH}"/>'
        f'<path class="band" d="{path}V{DISTANCE_HEIGHT}H{line[0][0]}Z"/>'
        f'<path class="whisker" d="{path}"/>'
    )


def _join_points(line: Sequence[tuple[int, int]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in line)
