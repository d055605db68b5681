"""Dots of one row spread by how crowded their spot is, so rows read as shapes."""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import count
from operator import mul
from typing import TypeAlias

RowCell: TypeAlias = tuple[int, int]  # a row, and a cell in it

_CELL_COUNT = 120
_BANDWIDTH = 0.045  # of the axis: how far a dot counts as a neighbour
_SATURATION_COUNT = 6.0  # neighbours that spread a row to its full height
_BANDWIDTH_CELLS = _BANDWIDTH * _CELL_COUNT
_KERNEL_RADIUS = math.ceil(3 * _BANDWIDTH_CELLS)
_KERNEL = [
    math.exp(-0.5 * (step / _BANDWIDTH_CELLS) ** 2)
    for step in range(-_KERNEL_RADIUS, _KERNEL_RADIUS + 1)
]


def compute_offsets(positions: Sequence[float], rows: Sequence[int]) -> list[float]:
    """Return an offset from -0.5 to 0.5 for each dot, which come from left to right.

    `places` are shares of the axis.  A row's places become a density on a fixed
    grid, so ten thousand dots cost little more than a hundred.  All rows share one
    height for "crowded".
    """
    inside_count = bisect_left(positions, 1)
    cells = [int(position * _CELL_COUNT) for position in positions[:inside_count]]
    cells += [_CELL_COUNT - 1] * (len(positions) - inside_count)
    row_cells = list(zip(rows, cells, strict=True))
    fullness = _compute_fullness(Counter(row_cells))
    sequences = {row: map(radical_inverse, count(1)) for row in set(rows)}
    return [
        (next(sequences[row_cell[0]]) - 0.5) * fullness[row_cell]
        for row_cell in row_cells
    ]


def _compute_fullness(dot_counts: Mapping[RowCell, int]) -> dict[RowCell, float]:
    """Return from 0 to 1 how much of a row's height each used cell fills."""
    densities = _compute_densities(dot_counts)
    max_density = max([_SATURATION_COUNT, *densities.values()])
    return {
        row_cell: min(1.0, max(0.0, density - 0.6) / max_density)
        for row_cell, density in densities.items()
    }


def _compute_densities(dot_counts: Mapping[RowCell, int]) -> dict[RowCell, float]:
    """Return how many neighbours each used cell has, near ones in full."""
    counts: dict[int, list[int]] = defaultdict(
        lambda: [0] * (_CELL_COUNT + 2 * _KERNEL_RADIUS)
    )
    for (row, cell), dot_count in dot_counts.items():
        counts[row][cell + _KERNEL_RADIUS] = dot_count
    return {
        (row, cell): sum(
            map(mul, counts[row][cell : cell + 2 * _KERNEL_RADIUS + 1], _KERNEL)
        )
        for row, cell in dot_counts
    }


@cache
def radical_inverse(number: int) -> float:
    """Return the bits of `number` mirrored behind the point: even, never random."""
    fraction, bit_value = 0.0, 0.5
    while number:
        fraction += bit_value * (number & 1)
        number >>= 1
        bit_value /= 2
    return fraction
