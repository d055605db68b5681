"""Answers from 0 to 100 over time, above the distance run on the same time axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from web.charts.layers import Point
from web.charts.scale import AxisLabel, compute_top, list_month_labels

WIDTH, HEIGHT, DISTANCE_HEIGHT = 1000, 250, 200
MAX_VALUE = 100


@dataclass(frozen=True, slots=True)
class DayValue:
    """An answer from 0 to 100 and its day."""

    day: date
    value: int


@dataclass(frozen=True, slots=True)
class OwnLine:
    """The line, and the distance below it; without distances `below` is None."""

    svg: Markup
    below: Markup | None
    top: int
    months: list[AxisLabel]


def draw(
    days: Sequence[date], answers: Sequence[DayValue], distances: Sequence[float] = ()
) -> OwnLine:
    """Draw the answers along `days`, oldest first, and one distance a day.

    Only the two ends of the scale have a line: a height between them means nothing.
    """
    day_width = WIDTH / max(1, len(days))
    points = [
        Point(
            round((answer.day.toordinal() - days[0].toordinal() + 0.5) * day_width),
            round(HEIGHT - HEIGHT * answer.value / MAX_VALUE),
        )
        for answer in answers
    ]
    scale_lines = f'<path class="row" d="M0 0H{WIDTH}M0 {HEIGHT}H{WIDTH}"/>'
    dots = "".join(f"M{x} {y}h0" for x, y in points)
    top = compute_top(distances)
    return OwnLine(
        svg=Markup(  # noqa: S704 - numbers only
            f'{scale_lines}<path class="trend" d="{_join_points(points)}"/>'
            f'<path class="point" d="{dots}"/>'
        ),
        below=draw_distances(distances, top) if distances else None,
        top=top,
        months=list_month_labels(days),
    )


def draw_distances(distances: Sequence[float], top: int) -> Markup:
    """Draw one distance a day as an area; `top` is the value at its upper edge."""
    day_width = WIDTH / len(distances)
    points = [
        Point(
            round((index + 0.5) * day_width),
            round(DISTANCE_HEIGHT - DISTANCE_HEIGHT * distance / top),
        )
        for index, distance in enumerate(distances)
    ]
    path = _join_points(points)
    return Markup(  # noqa: S704 - numbers only
        f'<path class="row" d="M0 0H{WIDTH}M0 {DISTANCE_HEIGHT}H{WIDTH}"/>'
        f'<path class="band" d="{path}V{DISTANCE_HEIGHT}H{points[0].x}Z"/>'
        f'<path class="whisker" d="{path}"/>'
    )


def _join_points(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points)
