"""Dots that do not touch share one path: the look of circles, a small document."""

from collections.abc import Sequence
from typing import TypeAlias

Point: TypeAlias = tuple[int, int]

_WIDE, _HIGH = 22, 12  # a dot's room on a narrow screen, in plot units
_MOST_LAYERS = 14
_LOOK_BACK = 14


def dots(points: Sequence[Point]) -> str:
    """Return paths that draw a dot at each point, outline under fill.

    `points` go from left to right.  A dot is a stroke of no length with a
    round end: it stays round however the plot is stretched.
    """
    return "".join(
        f'<path d="{path}"/><path d="{path}"/>' for path in map(_path, _layers(points))
    )


def _layers(points: Sequence[Point]) -> list[list[Point]]:
    layers: list[list[Point]] = []
    for number, point in enumerate(points):
        home = next((layer for layer in layers if _has_room(layer, point)), None)
        if home is None and len(layers) < _MOST_LAYERS:
            home = []
            layers.append(home)
        (layers[number % _MOST_LAYERS] if home is None else home).append(point)
    return layers


def _has_room(layer: Sequence[Point], point: Point) -> bool:
    across, down = point
    for other_across, other_down in layer[: -_LOOK_BACK - 1 : -1]:
        if across - other_across > _WIDE:
            return True  # the others lie even further to the left
        if -_HIGH <= down - other_down <= _HIGH:
            return False
    return True


def _path(points: Sequence[Point]) -> str:
    return "".join(f"M{across} {down}h0" for across, down in points)
