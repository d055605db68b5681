"""Dots that do not touch share one path: the look of circles, a small document."""

from collections.abc import Sequence
from typing import NamedTuple


class Point(NamedTuple):
    """A place in a drawing, in its own units, `y` downwards."""

    x: int
    y: int


_MIN_DX, _MIN_DY = 22, 12  # a dot's room on a narrow screen, in plot units
_BLOCKED_HEIGHT = 2 * _MIN_DY + 1
_MAX_LAYERS = 14


def draw_dots(points: Sequence[Point]) -> str:
    """Return paths that draw a dot at each point, outline under fill.

    `points` go from left to right.  A dot is a stroke of no length with a
    round end: it stays round however the plot is stretched.
    """
    paths = (
        "".join([f"M{x} {y}h0" for x, y in layer]) for layer in assign_layers(points)
    )
    return "".join(f'<path d="{path}"/><path d="{path}"/>' for path in paths)


def assign_layers(points: Sequence[Point]) -> list[list[Point]]:
    """Put each point into the first layer where it touches no other.

    Points that fit into none of the layers are spread over all of them.
    """
    layers: list[list[Point]] = []
    height = max((y for _, y in points), default=0) + _BLOCKED_HEIGHT
    # How far to the right each height of each layer is taken.
    blocked_until: list[list[int]] = []
    for index, point in enumerate(points):
        x, y = point
        layer_index = len(layers)
        for candidate, layer_blocked_until in enumerate(blocked_until):
            if layer_blocked_until[y + _MIN_DY] < x:
                layer_index = candidate
                break
        if layer_index == len(layers) < _MAX_LAYERS:
            layers.append([])
            blocked_until.append([-1] * height)
        layer_index = layer_index if layer_index < _MAX_LAYERS else index % _MAX_LAYERS
        layers[layer_index].append(point)
        blocked_until[layer_index][y : y + _BLOCKED_HEIGHT] = [
            x + _MIN_DX
        ] * _BLOCKED_HEIGHT
    return layers
