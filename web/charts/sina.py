"""Sina plots: dots of a row spread by the density around them.

Sidiropoulos et al. (2018), J. Comput. Graph. Stat. 27: 673-676.
"""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import count
from operator import mul
from typing import NamedTuple


class RowCell(NamedTuple):
    """One cell of the grid along a row."""

    row: int
    cell: int


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

    `positions` are shares of the axis.  Each row becomes a density on a fixed grid,
    so ten thousand dots cost little more than a hundred.  The highest density of all
    rows has the full height.
    """
    inside_count = bisect_left(positions, 1)
    cells = [int(position * _CELL_COUNT) for position in positions[:inside_count]]
    cells += [_CELL_COUNT - 1] * (len(positions) - inside_count)
    row_cells = list(map(RowCell._make, zip(rows, cells, strict=True)))
    densities = compute_densities(Counter(row_cells))
    max_density = max([_SATURATION_COUNT, *densities.values()])
    spreads = {
        row_cell: min(1.0, max(0.0, density - 0.6) / max_density)
        for row_cell, density in densities.items()
    }
    sequences = {row: map(radical_inverse, count(1)) for row in set(rows)}
    return [
        (next(sequences[row_cell.row]) - 0.5) * spreads[row_cell]
        for row_cell in row_cells
    ]


def compute_densities(dot_counts: Mapping[RowCell, int]) -> dict[RowCell, float]:
    """Return how many neighbours each used cell has, near ones in full."""
    counts: dict[int, list[int]] = defaultdict(
        lambda: [0] * (_CELL_COUNT + 2 * _KERNEL_RADIUS)
    )
    for (row, cell), dot_count in dot_counts.items():
        counts[row][cell + _KERNEL_RADIUS] = dot_count
    return {
        RowCell(row, cell): sum(
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
