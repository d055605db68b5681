"""Differences and links with their intervals, one row each, around zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 100
_FILL = 0.96


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """A center, its interval and the longer one that decides about words.

    `is_clear` fills the dot.
    """

    center: float
    low: float
    high: float
    words_low: float
    words_high: float
    is_clear: bool


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """One drawing a row; `half_width` is the value at either end of their axis."""

    rows: list[Markup]
    half_width: float


def draw(rows: Sequence[IntervalRow], *, max_half_width: float) -> IntervalChart:
    """Draw the rows on one axis from -half_width to half_width.

    The axis ends at the widest bound, or at `max_half_width`, where wider ones end.
    """
    bounds = [
        abs(bound)
        for row in rows
        for bound in (row.words_low, row.low, row.high, row.words_high)
        if isfinite(bound)
    ]
    half_width = min(max([*bounds, max_half_width / 4]), max_half_width)
    return IntervalChart(
        [draw_row(row, half_width) for row in rows], round(half_width, 2)
    )


def draw_row(row: IntervalRow, half_width: float) -> Markup:
    """Draw the zero line, both intervals and their center."""
    y = HEIGHT // 2
    words_low, low, center, high, words_high = (
        round(
            WIDTH / 2
            + max(-half_width, min(half_width, value)) / half_width * WIDTH / 2 * _FILL
        )
        for value in (
            row.words_low,
            row.low,
            row.center,
            row.high,
            row.words_high,
        )
    )
    kind = "clear" if row.is_clear else "open"
    return Markup(  # noqa: S704 - numbers and our own names
        f'<path class="row" d="M{WIDTH // 2} 0V{HEIGHT}"/>'
        f'<path class="whisker words" d="M{words_low} {y}H{words_high}"/>'
        f'<path class="whisker" d="M{low} {y}H{high}"/>'
        f'<path class="point" d="M{center} {y}h0"/>'
        f'<path class="point {kind}" d="M{center} {y}h0"/>'
    )
