"""The main chart: five worded rows of moods over a distance axis."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from markupsafe import Markup

from sync.language import gettext
from web.charts.layers import Point, draw_dots
from web.charts.scale import compute_axis_end, list_ticks
from web.charts.sina import compute_offsets

WIDTH, HEIGHT = 1000, 500
_MOOD_ROWS = range(1, 6)
_ROW_FILL = 0.86
_EDGE_MARGIN = 4


class Dots(NamedTuple):
    """Answered runs as columns: their places, and which read-out says more."""

    distance: Sequence[float]  # in the chart's unit
    mood: Sequence[int]  # 1 Awful to 5 Great
    number: Sequence[int]  # of the run
    hollow: Sequence[bool]  # answered late, or a race: it does not count

    def sorted_by_distance(self) -> "Dots":
        """Return the same dots from left to right."""
        order = sorted(range(len(self.distance)), key=self.distance.__getitem__)
        return Dots._make([column[index] for index in order] for column in self)


@dataclass(frozen=True, slots=True)
class MoodCurve:
    """The typical mood along the axis (moods from 1 to 5), with its band.

    What lies beyond the axis is not drawn.
    """

    distance: Sequence[float]
    mood: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class MoodRows:
    """The drawn chart.  Places of words are percentages of the plot."""

    svg: Markup
    ticks: list[tuple[int, float]]
    points: Sequence[tuple[int, int, int, int]] = field(default_factory=list)
    best: tuple[str, float] | None = None


def draw(
    dots: Dots,
    *,
    line: MoodCurve | None = None,
    best: tuple[float, float] | None = None,
    unit: str = "km",
) -> MoodRows:
    """Draw the dots, the line with its band, and the best range shaded."""
    ordered = dots.sorted_by_distance()
    axis_max = compute_axis_end(ordered.distance)
    xs, ys = _compute_positions(ordered, axis_max)
    parts = []
    if best:
        parts.append(_draw_best_range(best, axis_max))
    parts.extend(
        f'<path class="row" d="M0 {_to_y(mood)}H{WIDTH}"/>' for mood in _MOOD_ROWS
    )
    if line and line.low:
        parts.append(_draw_band(line, axis_max))
    parts.extend(_draw_rows(ordered, zip(xs, ys, strict=True)))
    if line:
        parts.append(_draw_trend(line, axis_max))
    return MoodRows(
        # Numbers and our own class names only: nothing a person wrote.
        svg=Markup("".join(parts)),  # noqa: S704
        ticks=[
            (tick, round(100 * tick / axis_max, 2)) for tick in list_ticks(axis_max)
        ],
        points=list(zip(xs, ys, ordered.mood, ordered.number, strict=True)),
        best=_build_best_label(best, axis_max, unit) if best else None,
    )


def _draw_rows(ordered: Dots, positions: Iterable[Point]) -> list[str]:
    """Draw each mood's dots, those that do not count apart from the others."""
    rows: dict[tuple[int, bool], list[Point]] = defaultdict(list)
    for position, mood, hollow in zip(
        positions, ordered.mood, ordered.hollow, strict=True
    ):
        rows[mood, hollow].append(position)
    parts = []
    for (mood, hollow), row in sorted(rows.items()):
        kind = " hollow" if hollow else ""
        parts.append(f'<g class="dots m{mood}{kind}">{draw_dots(row)}</g>')
    return parts


def _draw_best_range(best: tuple[float, float], axis_max: float) -> str:
    left, right = (_to_x(min(edge, axis_max), axis_max) for edge in best)
    return (
        f'<rect class="sweet" x="{left}" y="0" width="{right - left}" '
        f'height="{HEIGHT}"/>'
    )


def _compute_positions(ordered: Dots, axis_max: float) -> tuple[list[int], list[int]]:
    """Return how far across and how far down each dot lies."""
    shares = [distance / axis_max for distance in ordered.distance]
    offsets = compute_offsets(shares, ordered.mood)
    inside_count = bisect_right(shares, 1 - _EDGE_MARGIN / WIDTH)
    xs = [round(share * WIDTH) for share in shares[:inside_count]]
    xs += [WIDTH - _EDGE_MARGIN] * (len(shares) - inside_count)
    ys = [
        _to_y(mood - offset * _ROW_FILL)
        for mood, offset in zip(ordered.mood, offsets, strict=True)
    ]
    return xs, ys


def _draw_trend(line: MoodCurve, axis_max: float) -> str:
    path = "M" + "L".join(
        f"{_to_x(distance, axis_max)} {_to_y(mood)}"
        for distance, mood in _clip_to_axis(line.distance, line.mood, axis_max)
    )
    dash = " dash" if line.is_dashed else ""
    return (
        f'<path class="trend halo{dash}" d="{path}"/>'
        f'<path class="trend{dash}" d="{path}"/>'
    )


def _draw_band(line: MoodCurve, axis_max: float) -> str:
    lower_points = _clip_to_axis(line.distance, line.low, axis_max)
    upper_points = _clip_to_axis(line.distance, line.high, axis_max)[::-1]
    corners = "L".join(
        f"{_to_x(distance, axis_max)} {_to_y(min(5.4, max(0.6, mood)))}"
        for distance, mood in lower_points + upper_points
    )
    return f'<path class="band" d="M{corners}Z"/>'


def _clip_to_axis(
    distances: Sequence[float], moods: Sequence[float], axis_max: float
) -> list[tuple[float, float]]:
    pairs = zip(distances, moods, strict=True)
    return [(distance, mood) for distance, mood in pairs if distance <= axis_max]


def _build_best_label(
    best: tuple[float, float], axis_max: float, unit: str
) -> tuple[str, float]:
    low, high = best
    center = (low + min(high, axis_max)) / 2
    if high == inf:
        text = gettext("%(low)s %(unit)s or more", low=f"{low:.0f}", unit=unit)
    elif low <= 0:
        text = gettext("under %(high)s %(unit)s", high=f"{high:.0f}", unit=unit)
    else:
        text = f"{low:.0f}–{high:.0f} {unit}"
    return text, round(100 * center / axis_max, 2)


def _to_x(distance: float, axis_max: float) -> int:
    return round(distance / axis_max * WIDTH)


def _to_y(mood: float) -> int:
    return round(HEIGHT - (mood - 0.5) * HEIGHT / 5)
