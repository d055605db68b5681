"""How runs felt, range by range: stacked bars that are lined up on OK."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 100
_THICK = 0.62
_AT_LEAST = 0.5  # of a row's answers on each side, so that few never look like all
_OK = 2


@dataclass(frozen=True, slots=True)
class FeltBars:
    """One drawing a range, so that each can stand beside its own words."""

    rows: list[Markup]


def draw(rows: Sequence[Sequence[int]]) -> FeltBars:
    """Draw a bar for each range from its five counts, Awful to Great.

    Bars are shares of their own range, so that ranges with many runs and with
    few can be compared; an empty range has no bar.
    """
    shares = [[count / (sum(row) or 1) for count in row] for row in rows]
    left = max([_below(row) for row in shares] + [_AT_LEAST])
    right = max([_above(row) for row in shares] + [_AT_LEAST])
    scale = WIDTH / (left + right)
    axis = f'<path class="row" d="M{left * scale:.1f} 0V{HEIGHT}"/>'
    return FeltBars(
        rows=[
            # Numbers and our own class names only.
            Markup(_bar(row, left - _below(row), scale) + axis)  # noqa: S704
            for row in shares
        ]
    )


def _bar(row: Sequence[float], at: float, scale: float) -> str:
    top, thick = HEIGHT * (1 - _THICK) / 2, HEIGHT * _THICK
    parts = []
    for mood, share in enumerate(row, start=1):
        if share:
            parts.append(
                f'<rect class="f{mood}" x="{at * scale:.1f}" y="{top:.0f}" '
                f'width="{share * scale:.1f}" height="{thick:.0f}"/>'
            )
        at += share
    return "".join(parts)


def _below(row: Sequence[float]) -> float:
    """Return what lies left of OK's middle."""
    return sum(row[:_OK]) + row[_OK] / 2


def _above(row: Sequence[float]) -> float:
    return sum(row[_OK + 1 :]) + row[_OK] / 2
