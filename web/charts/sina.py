"""Dots of one row spread by how crowded their spot is, so rows read as shapes."""

import math
from collections.abc import Sequence

_CELLS = 120
_REACH = 0.045  # of the axis: how far a dot counts as a neighbour
_FULL_AT = 6.0  # neighbours that spread a row to its full height


def spread(rows: Sequence[Sequence[float]], end: float) -> list[list[float]]:
    """Return an offset from -0.5 to 0.5 for each value, row by row.

    A row's values become a density on a fixed grid, so ten thousand dots cost
    little more than a hundred.  All rows share one height for "crowded".
    """
    densities = [_density([value / end for value in row]) for row in rows]
    highest = max((max(row) for row in densities if row), default=0.0)
    return [
        _offsets(row, density, max(highest, _FULL_AT))
        for row, density in zip(rows, densities, strict=True)
    ]


def _density(places: Sequence[float]) -> list[float]:
    """Return how many neighbours each place (0 to 1) has, near ones in full."""
    counts = [0] * _CELLS
    cells = [min(_CELLS - 1, max(0, int(place * _CELLS))) for place in places]
    for cell in cells:
        counts[cell] += 1
    width = _REACH * _CELLS
    near = math.ceil(3 * width)
    weights = [math.exp(-0.5 * (step / width) ** 2) for step in range(near + 1)]
    smooth = [
        sum(
            counts[other] * weights[abs(other - cell)]
            for other in range(max(0, cell - near), min(_CELLS, cell + near + 1))
        )
        for cell in range(_CELLS)
    ]
    return [smooth[cell] for cell in cells]


def _offsets(
    row: Sequence[float], density: Sequence[float], crowded: float
) -> list[float]:
    offsets = [0.0] * len(row)
    in_order = sorted(range(len(row)), key=row.__getitem__)
    for rank, index in enumerate(in_order, start=1):
        fullness = min(1.0, max(0.0, density[index] - 0.6) / crowded)
        offsets[index] = (radical_inverse(rank) - 0.5) * fullness
    return offsets


def radical_inverse(number: int) -> float:
    """Return the bits of `number` mirrored behind the point: even, never random."""
    fraction, place = 0.0, 0.5
    while number:
        fraction += place * (number & 1)
        number >>= 1
        place /= 2
    return fraction
