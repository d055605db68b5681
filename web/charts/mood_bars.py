"""Stacked bars of moods, range by range, lined up on OK."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 100
_BAR_FILL = 0.62
# Each side holds at least this share of a row, so that a few answers never look like
# all of them.
_MIN_SIDE_SHARE = 0.5
_OK_INDEX = 2


@dataclass(frozen=True, slots=True)
class StackedBars:
    """One drawing a range, so that each can stand beside its own words."""

    rows: list[Markup]


def draw(rows: Sequence[Sequence[int]]) -> StackedBars:
    """Draw a bar for each range from its five counts, Awful to Great.

    Bars are shares of their own range, so that ranges with many runs and with
    few can be compared; an empty range has no bar.
    """
    shares = [[count / (sum(row) or 1) for count in row] for row in rows]
    # From a bar's left end to the middle of OK, and from there to its right end.
    lefts = [sum(row[:_OK_INDEX]) + row[_OK_INDEX] / 2 for row in shares]
    rights = [sum(row[_OK_INDEX + 1 :]) + row[_OK_INDEX] / 2 for row in shares]
    left = max([*lefts, _MIN_SIDE_SHARE])
    scale = WIDTH / (left + max([*rights, _MIN_SIDE_SHARE]))
    axis = f'<path class="row" d="M{left * scale:.1f} 0V{HEIGHT}"/>'
    return StackedBars(
        rows=[
            # Numbers and our own class names only.
            Markup(draw_bar(row, left - row_left, scale) + axis)  # noqa: S704
            for row, row_left in zip(shares, lefts, strict=True)
        ]
    )


def draw_bar(shares: Sequence[float], x: float, scale: float) -> str:
    """Draw one rectangle for each mood with a share, from `x` to the right."""
    top, height = HEIGHT * (1 - _BAR_FILL) / 2, HEIGHT * _BAR_FILL
    parts = []
    for mood, share in enumerate(shares, start=1):
        if share:
            parts.append(
                f'<rect class="f{mood}" x="{x * scale:.1f}" y="{top:.0f}" '
                f'width="{share * scale:.1f}" height="{height:.0f}"/>'
            )
        x += share
    return "".join(parts)
