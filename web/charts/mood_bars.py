"""How runs felt, range by range: stacked bars that are lined up on OK."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 100
_BAR_FILL = 0.62
_MIN_SIDE_SHARE = (
    0.5  # of a row's answers on each side, so that few never look like all
)
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
    left = max([_share_below_ok(row) for row in shares] + [_MIN_SIDE_SHARE])
    right = max([_share_above_ok(row) for row in shares] + [_MIN_SIDE_SHARE])
    scale = WIDTH / (left + right)
    axis = f'<path class="row" d="M{left * scale:.1f} 0V{HEIGHT}"/>'
    return StackedBars(
        rows=[
            # Numbers and our own class names only.
            Markup(_draw_bar(row, left - _share_below_ok(row), scale) + axis)  # noqa: S704
            for row in shares
        ]
    )


def _draw_bar(row: Sequence[float], x: float, scale: float) -> str:
    top, height = HEIGHT * (1 - _BAR_FILL) / 2, HEIGHT * _BAR_FILL
    parts = []
    for mood, share in enumerate(row, start=1):
        if share:
            parts.append(
                f'<rect class="f{mood}" x="{x * scale:.1f}" y="{top:.0f}" '
                f'width="{share * scale:.1f}" height="{height:.0f}"/>'
            )
        x += share
    return "".join(parts)


def _share_below_ok(row: Sequence[float]) -> float:
    """Return what lies left of OK's middle."""
    return sum(row[:_OK_INDEX]) + row[_OK_INDEX] / 2


def _share_above_ok(row: Sequence[float]) -> float:
    return sum(row[_OK_INDEX + 1 :]) + row[_OK_INDEX] / 2
