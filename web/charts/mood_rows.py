"""The main chart: five worded rows of moods over a distance axis."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from operator import attrgetter
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


class Dot(NamedTuple):
    """One answered run: its place, and which read-out says more about it."""

    distance: float  # in the chart's unit
    mood: int  # 1 Awful to 5 Great
    number: int = 0  # of the run
    hollow: bool = False  # answered late, or a race: it does not count


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
    points: list[tuple[int, int, int, int]] = field(default_factory=list)
    best: tuple[str, float] | None = None


def draw(
    answered: Sequence[Dot],
    *,
    line: Line | None = None,
    best: tuple[float, float] | None = None,
    unit: str = "km",
) -> MoodRows:
    """Draw the dots, the line with its band, and the best range shaded."""
    ordered = sorted(answered, key=attrgetter("distance"))
    end = reach([dot.distance for dot in ordered])
    places = _places(ordered, end)
    parts = []
    if best:
        parts.append(_best_range(best, end))
    parts.extend(f'<path class="row" d="M0 {_down(mood)}H{WIDTH}"/>' for mood in _ROWS)
    if line and line.low:
        parts.append(_band(line, end))
    rows: dict[tuple[int, bool], list[Point]] = defaultdict(list)
    for place, (_, mood, _, hollow) in zip(places, ordered, strict=True):
        rows[mood, hollow].append(place)
    for (mood, hollow), row in sorted(rows.items()):
        kind = " hollow" if hollow else ""
        parts.append(f'<g class="dots m{mood}{kind}">{dots(row)}</g>')
    if line:
        parts.append(_trend(line, end))
    return MoodRows(
        # Numbers and our own class names only: nothing a person wrote.
        svg=Markup("".join(parts)),  # noqa: S704
        ticks=[(tick, round(100 * tick / end, 2)) for tick in ticks(end)],
        points=[
            (across, down, mood, number)
            for (across, down), (_, mood, number, _) in zip(
                places, ordered, strict=True
            )
        ],
        best=_best_label(best, end, unit) if best else None,
    )


def _best_range(best: tuple[float, float], end: float) -> str:
    left, right = (_across(min(edge, end), end) for edge in best)
    return (
        f'<rect class="sweet" x="{left}" y="0" width="{right - left}" '
        f'height="{HEIGHT}"/>'
    )


def _places(ordered: Sequence[Dot], end: float) -> list[Point]:
    rows: list[list[float]] = [[] for _ in _ROWS]
    for distance, mood, _, _ in ordered:
        rows[mood - 1].append(distance)
    downs = [
        iter([_down(mood - offset * _ROW_FILL) for offset in offsets])
        for mood, offsets in zip(_ROWS, spread(rows, end), strict=True)
    ]
    edge = WIDTH - _EDGE
    return [
        (min(_across(distance, end), edge), next(downs[mood - 1]))
        for distance, mood, _, _ in ordered
    ]


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
