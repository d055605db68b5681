"""Dots of one row spread by how crowded their spot is, so rows read as shapes."""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import count
from operator import mul
from typing import TypeAlias

Spot: TypeAlias = tuple[int, int]  # a row, and a cell in it

_CELLS = 120
_REACH = 0.045  # of the axis: how far a dot counts as a neighbour
_FULL_AT = 6.0  # neighbours that spread a row to its full height
_WIDTH = _REACH * _CELLS
_NEAR = math.ceil(3 * _WIDTH)
_WEIGHTS = [math.exp(-0.5 * (step / _WIDTH) ** 2) for step in range(-_NEAR, _NEAR + 1)]


def spread(places: Sequence[float], rows: Sequence[int]) -> list[float]:
    """Return an offset from -0.5 to 0.5 for each dot, which come from left to right.

    `places` are shares of the axis.  A row's places become a density on a fixed
    grid, so ten thousand dots cost little more than a hundred.  All rows share one
    height for "crowded".
    """
    inside = bisect_left(places, 1)
    cells = [int(place * _CELLS) for place in places[:inside]]
    cells += [_CELLS - 1] * (len(places) - inside)
    spots = list(zip(rows, cells, strict=True))
    fullness = _fullness(Counter(spots))
    mirrored = {row: map(radical_inverse, count(1)) for row in set(rows)}
    return [(next(mirrored[spot[0]]) - 0.5) * fullness[spot] for spot in spots]


def _fullness(dots: Mapping[Spot, int]) -> dict[Spot, float]:
    """Return from 0 to 1 how much of a row's height each used cell fills."""
    densities = _densities(dots)
    crowded = max([_FULL_AT, *densities.values()])
    return {
        spot: min(1.0, max(0.0, density - 0.6) / crowded)
        for spot, density in densities.items()
    }


def _densities(dots: Mapping[Spot, int]) -> dict[Spot, float]:
    """Return how many neighbours each used cell has, near ones in full."""
    counts: dict[int, list[int]] = defaultdict(lambda: [0] * (_CELLS + 2 * _NEAR))
    for (row, cell), many in dots.items():
        counts[row][cell + _NEAR] = many
    return {
        (row, cell): sum(map(mul, counts[row][cell : cell + 2 * _NEAR + 1], _WEIGHTS))
        for row, cell in dots
    }


@cache
def radical_inverse(number: int) -> float:
    """Return the bits of `number` mirrored behind the point: even, never random."""
    fraction, place = 0.0, 0.5
    while number:
        fraction += place * (number & 1)
        number >>= 1
        place /= 2
    return fraction
