"""The main chart: five worded rows of moods over a distance axis."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from markupsafe import Markup

from sync.language import gettext
from web.charts.layers import Point, dots
from web.charts.scale import reach, ticks
from web.charts.sina import spread

WIDTH, HEIGHT = 1000, 500
_ROWS = range(1, 6)
_ROW_FILL = 0.86
_EDGE = 4


class Dots(NamedTuple):
    """Answered runs as columns: their places, and which read-out says more."""

    distance: Sequence[float]  # in the chart's unit
    mood: Sequence[int]  # 1 Awful to 5 Great
    number: Sequence[int]  # of the run
    hollow: Sequence[bool]  # answered late, or a race: it does not count

    def by_distance(self) -> "Dots":
        """Return the same dots from left to right."""
        order = sorted(range(len(self.distance)), key=self.distance.__getitem__)
        return Dots._make([column[one] for one in order] for column in self)


@dataclass(frozen=True, slots=True)
class Line:
    """The typical mood along the axis (moods from 1 to 5), with its band.

    What lies beyond the axis is not drawn.
    """

    distance: Sequence[float]
    mood: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class MoodRows:
    """The drawn chart.  Places of words are percentages of the plot."""

    svg: Markup
    ticks: list[tuple[int, float]]
    points: Sequence[tuple[int, int, int, int]] = field(default_factory=list)
    best: tuple[str, float] | None = None


def draw(
    answered: Dots,
    *,
    line: Line | None = None,
    best: tuple[float, float] | None = None,
    unit: str = "km",
) -> MoodRows:
    """Draw the dots, the line with its band, and the best range shaded."""
    ordered = answered.by_distance()
    end = reach(ordered.distance)
    across, downs = _places(ordered, end)
    parts = []
    if best:
        parts.append(_best_range(best, end))
    parts.extend(f'<path class="row" d="M0 {_down(mood)}H{WIDTH}"/>' for mood in _ROWS)
    if line and line.low:
        parts.append(_band(line, end))
    parts.extend(_rows(ordered, zip(across, downs, strict=True)))
    if line:
        parts.append(_trend(line, end))
    return MoodRows(
        # Numbers and our own class names only: nothing a person wrote.
        svg=Markup("".join(parts)),  # noqa: S704
        ticks=[(tick, round(100 * tick / end, 2)) for tick in ticks(end)],
        points=list(zip(across, downs, ordered.mood, ordered.number, strict=True)),
        best=_best_label(best, end, unit) if best else None,
    )


def _rows(ordered: Dots, places: Iterable[Point]) -> list[str]:
    """Draw each mood's dots, those that do not count apart from the others."""
    rows: dict[tuple[int, bool], list[Point]] = defaultdict(list)
    for place, mood, hollow in zip(places, ordered.mood, ordered.hollow, strict=True):
        rows[mood, hollow].append(place)
    parts = []
    for (mood, hollow), row in sorted(rows.items()):
        kind = " hollow" if hollow else ""
        parts.append(f'<g class="dots m{mood}{kind}">{dots(row)}</g>')
    return parts


def _best_range(best: tuple[float, float], end: float) -> str:
    left, right = (_across(min(edge, end), end) for edge in best)
    return (
        f'<rect class="sweet" x="{left}" y="0" width="{right - left}" '
        f'height="{HEIGHT}"/>'
    )


def _places(ordered: Dots, end: float) -> tuple[list[int], list[int]]:
    """Return how far across and how far down each dot lies."""
    shares = [distance / end for distance in ordered.distance]
    offsets = spread(shares, ordered.mood)
    past = bisect_right(shares, 1 - _EDGE / WIDTH)
    across = [round(share * WIDTH) for share in shares[:past]]
    across += [WIDTH - _EDGE] * (len(shares) - past)
    downs = [
        _down(mood - offset * _ROW_FILL)
        for mood, offset in zip(ordered.mood, offsets, strict=True)
    ]
    return across, downs


def _trend(line: Line, end: float) -> str:
    path = "M" + "L".join(
        f"{_across(distance, end)} {_down(mood)}"
        for distance, mood in _within(line.distance, line.mood, end)
    )
    dash = " dash" if line.dashed else ""
    return (
        f'<path class="trend halo{dash}" d="{path}"/>'
        f'<path class="trend{dash}" d="{path}"/>'
    )


def _band(line: Line, end: float) -> str:
    there = _within(line.distance, line.low, end)
    back = _within(line.distance, line.high, end)[::-1]
    corners = "L".join(
        f"{_across(distance, end)} {_down(min(5.4, max(0.6, mood)))}"
        for distance, mood in there + back
    )
    return f'<path class="band" d="M{corners}Z"/>'


def _within(
    distances: Sequence[float], moods: Sequence[float], end: float
) -> list[tuple[float, float]]:
    pairs = zip(distances, moods, strict=True)
    return [(distance, mood) for distance, mood in pairs if distance <= end]


def _best_label(best: tuple[float, float], end: float, unit: str) -> tuple[str, float]:
    low, high = best
    middle = (low + min(high, end)) / 2
    if high == inf:
        words = gettext("%(low)s %(unit)s or more", low=f"{low:.0f}", unit=unit)
    elif low <= 0:
        words = gettext("under %(high)s %(unit)s", high=f"{high:.0f}", unit=unit)
    else:
        words = f"{low:.0f}–{high:.0f} {unit}"
    return words, round(100 * middle / end, 2)


def _across(distance: float, end: float) -> int:
    return round(distance / end * WIDTH)


def _down(mood: float) -> int:
    return round(HEIGHT - (mood - 0.5) * HEIGHT / 5)
