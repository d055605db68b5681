"""Means or shares with their intervals, one row each, on an axis with two ends."""

from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 100
_MARGIN = 20  # so that a dot at either end is whole


@dataclass(frozen=True, slots=True)
class LevelAxis:
    """An axis from `low` to `high`, with a line at `origin`."""

    low: float
    high: float
    origin: float

    def to_x(self, value: float) -> int:
        """Return where a value is drawn; beyond the ends it is drawn at them."""
        share = (min(max(value, self.low), self.high) - self.low) / (
            self.high - self.low
        )
        return round(_MARGIN + share * (WIDTH - 2 * _MARGIN))


def draw_dot(value: float, low: float, high: float, axis: LevelAxis) -> Markup:
    """Draw a value with the interval around it; one without ends fills the axis."""
    y = HEIGHT // 2
    start, middle, end = (axis.to_x(number) for number in (low, value, high))
    return Markup(  # noqa: S704 - numbers and our own names
        f'<path class="row" d="M{axis.to_x(axis.origin)} 0V{HEIGHT}"/>'
        f'<path class="whisker" d="M{start} {y}H{end}"/>'
        f'<path class="point" d="M{middle} {y}h0"/>'
    )


def draw_bar(value: float, low: float, high: float, axis: LevelAxis) -> Markup:
    """Draw a bar from the origin to a value, and the interval of its end."""
    y = HEIGHT // 2
    origin, start, middle, end = (
        axis.to_x(number) for number in (axis.origin, low, value, high)
    )
    return Markup(  # noqa: S704 - numbers and our own names
        f'<path class="row" d="M{origin} 0V{HEIGHT}"/>'
        f'<rect class="share" x="{origin}" y="25" width="{middle - origin}" '
        f'height="50"/><path class="whisker" d="M{start} {y}H{end}"/>'
    )
