"""Dots that do not touch share one path: the look of circles, a small document."""

from collections.abc import Sequence
from typing import TypeAlias

Point: TypeAlias = tuple[int, int]

_WIDE, _HIGH = 22, 12  # a dot's room on a narrow screen, in plot units
_ROOM = 2 * _HIGH + 1
_MOST_LAYERS = 14


def dots(points: Sequence[Point]) -> str:
    """Return paths that draw a dot at each point, outline under fill.

    `points` go from left to right.  A dot is a stroke of no length with a
    round end: it stays round however the plot is stretched.
    """
    return "".join(
        f'<path d="{path}"/><path d="{path}"/>' for path in map(_path, _layers(points))
    )


def _layers(points: Sequence[Point]) -> list[list[Point]]:
    """Put each point into the first layer where it touches no other."""
    layers: list[list[Point]] = []
    heights = max((down for _, down in points), default=0) + _ROOM
    # How far to the right each height of each layer is taken.
    taken: list[list[int]] = []
    for number, point in enumerate(points):
        across, down = point
        home = _home(taken, across, down + _HIGH)
        if home == len(layers) < _MOST_LAYERS:
            layers.append([])
            taken.append([-1] * heights)
        home = home if home < _MOST_LAYERS else number % _MOST_LAYERS
        layers[home].append(point)
        taken[home][down : down + _ROOM] = [across + _WIDE] * _ROOM
    return layers


def _home(taken: Sequence[Sequence[int]], across: int, middle: int) -> int:
    """Return the first layer with room at that height, or the number of layers."""
    for home, until in enumerate(taken):
        if until[middle] < across:
            return home
    return len(taken)


def _path(points: Sequence[Point]) -> str:
    return "".join([f"M{across} {down}h0" for across, down in points])
