"""Differences with the range that each could lie in, one row each, around zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 100
_FILL = 0.96


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """A middle and its interval; `is_clear` fills the dot."""

    center: float
    low: float
    high: float
    is_clear: bool


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """One drawing a row; `reach` is the value at either end of their axis."""

    rows: list[Markup]
    half_width: float


def draw(rows: Sequence[IntervalRow], *, max_half_width: float) -> IntervalChart:
    """Draw the rows on one axis from -reach to +reach, no wider than `most`.

    What reaches further ends at the edge.
    """
    bounds = [
        abs(bound) for row in rows for bound in (row.low, row.high) if isfinite(bound)
    ]
    half_width = min(max([*bounds, max_half_width / 4]), max_half_width)
    return IntervalChart(
        [_draw_row(row, half_width) for row in rows], round(half_width, 2)
    )


def _draw_row(row: IntervalRow, half_width: float) -> Markup:
    y = HEIGHT // 2
    low, center, high = (
        _to_x(value, half_width) for value in (row.low, row.center, row.high)
    )
    kind = "clear" if row.is_clear else "open"
    parts = (
        f'<path class="row" d="M{WIDTH // 2} 0V{HEIGHT}"/>',
        f'<path class="whisker" d="M{low} {y}H{high}"/>',
        f'<path class="point" d="M{center} {y}h0"/>',
        f'<path class="point {kind}" d="M{center} {y}h0"/>',
    )
    return Markup("".join(parts))  # noqa: S704 - numbers and our own names


def _to_x(value: float, half_width: float) -> int:
    clipped = max(-half_width, min(half_width, value))
    return round(WIDTH / 2 + clipped / half_width * WIDTH / 2 * _FILL)
