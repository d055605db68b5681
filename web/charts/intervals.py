"""Differences with the range that each could lie in, one row each, around zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 100
_FILLED = 0.96


@dataclass(frozen=True, slots=True)
class Row:
    """A middle and its interval; `is_clear` fills the dot."""

    middle: float
    low: float
    high: float
    is_clear: bool


@dataclass(frozen=True, slots=True)
class Intervals:
    """One drawing a row; `reach` is the value at either end of their axis."""

    rows: list[Markup]
    reach: float


def draw(rows: Sequence[Row], *, most: float) -> Intervals:
    """Draw the rows on one axis from -reach to +reach, no wider than `most`.

    What reaches further ends at the edge.
    """
    ends = [abs(end) for row in rows for end in (row.low, row.high) if isfinite(end)]
    reach = min(max([*ends, most / 4]), most)
    return Intervals([_drawn(row, reach) for row in rows], round(reach, 2))


def _drawn(row: Row, reach: float) -> Markup:
    down = HEIGHT // 2
    low, middle, high = (
        _across(value, reach) for value in (row.low, row.middle, row.high)
    )
    kind = "clear" if row.is_clear else "open"
    parts = (
        f'<path class="row" d="M{WIDTH // 2} 0V{HEIGHT}"/>',
        f'<path class="whisker" d="M{low} {down}H{high}"/>',
        f'<path class="point" d="M{middle} {down}h0"/>',
        f'<path class="point {kind}" d="M{middle} {down}h0"/>',
    )
    return Markup("".join(parts))  # noqa: S704 - numbers and our own names


def _across(value: float, reach: float) -> int:
    inside = max(-reach, min(reach, value))
    return round(WIDTH / 2 + inside / reach * WIDTH / 2 * _FILLED)
