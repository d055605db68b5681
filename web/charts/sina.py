"""Dots of one row spread by how crowded their spot is, so rows read as shapes."""

import math
from collections.abc import Sequence
from functools import cache
from operator import mul

_CELLS = 120
_REACH = 0.045  # of the axis: how far a dot counts as a neighbour
_FULL_AT = 6.0  # neighbours that spread a row to its full height
_WIDTH = _REACH * _CELLS
_NEAR = math.ceil(3 * _WIDTH)
_WEIGHTS = [math.exp(-0.5 * (step / _WIDTH) ** 2) for step in range(-_NEAR, _NEAR + 1)]


def spread(rows: Sequence[Sequence[float]], end: float) -> list[list[float]]:
    """Return an offset from -0.5 to 0.5 for each value, row by row.

    A row's values become a density on a fixed grid, so ten thousand dots cost
    little more than a hundred.  All rows share one height for "crowded".
    """
    cells = [[_cell(value / end) for value in row] for row in rows]
    densities = [_density(row) for row in cells]
    highest = max((max(row) for row in densities if row), default=0.0)
    crowded = max(highest, _FULL_AT)
    return [
        _offsets(row, places, [_fullness(one, crowded) for one in density])
        for row, places, density in zip(rows, cells, densities, strict=True)
    ]


def _cell(place: float) -> int:
    return min(_CELLS - 1, max(0, int(place * _CELLS)))


def _density(cells: Sequence[int]) -> list[float]:
    """Return how many neighbours each used cell has, near ones in full, else 0."""
    counts = [0] * (_CELLS + 2 * _NEAR)
    for cell in cells:
        counts[cell + _NEAR] += 1
    used = set(cells)
    return [
        sum(map(mul, counts[cell : cell + 2 * _NEAR + 1], _WEIGHTS))
        if cell in used
        else 0.0
        for cell in range(_CELLS)
    ]


def _fullness(density: float, crowded: float) -> float:
    return min(1.0, max(0.0, density - 0.6) / crowded)


def _offsets(
    row: Sequence[float], cells: Sequence[int], fullness: Sequence[float]
) -> list[float]:
    offsets = [0.0] * len(row)
    in_order = sorted(range(len(row)), key=row.__getitem__)
    for rank, index in enumerate(in_order, start=1):
        offsets[index] = (radical_inverse(rank) - 0.5) * fullness[cells[index]]
    return offsets


@cache
def radical_inverse(number: int) -> float:
    """Return the bits of `number` mirrored behind the point: even, never random."""
    fraction, place = 0.0, 0.5
    while number:
        fraction += place * (number & 1)
        number >>= 1
        place /= 2
    return fraction
