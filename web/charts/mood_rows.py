"""The main chart: five worded rows of moods over a distance axis."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from markupsafe import Markup

from sync.language import gettext
from web.charts.layers import Point, draw_dots
from web.charts.scale import AxisLabel, compute_axis_end, list_ticks
from web.charts.sina import compute_offsets

WIDTH, HEIGHT = 1000, 500
_MOOD_ROWS = range(1, 6)
_ROW_FILL = 0.86
_EDGE_MARGIN = 4


class Dots(NamedTuple):
    """Answered runs as columns, one value a run."""

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
class BestRange:
    """The distances with the best moods, in the chart's unit; `high` may be inf."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PlacedDots:
    """Dots in the plot as columns, from left to right; the script reads them."""

    x: Sequence[int] = ()
    y: Sequence[int] = ()
    mood: Sequence[int] = ()
    run_id: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class MoodRows:
    """The drawn chart; `best` names the best range above its middle."""

    svg: Markup
    ticks: list[AxisLabel]
    dots: PlacedDots = PlacedDots()
    best: AxisLabel | None = None


def draw(
    dots: Dots,
    *,
    line: MoodCurve | None = None,
    best: BestRange | None = None,
    unit: str = "km",
) -> MoodRows:
    """Draw the dots, the line with its band, and the best range shaded."""
    ordered = dots.sorted_by_distance()
    axis_max = compute_axis_end(ordered.distance)
    placed = place_dots(ordered, axis_max)
    parts = []
    if best:
        left, right = (
            _to_x(min(edge, axis_max), axis_max) for edge in (best.low, best.high)
        )
        parts.append(
            f'<rect class="sweet" x="{left}" y="0" width="{right - left}" '
            f'height="{HEIGHT}"/>'
        )
    parts.extend(
        f'<path class="row" d="M0 {_to_y(mood)}H{WIDTH}"/>' for mood in _MOOD_ROWS
    )
    if line and line.low:
        parts.append(draw_band(line, axis_max))
    rows: dict[tuple[int, bool], list[Point]] = defaultdict(list)
    styles = zip(ordered.mood, ordered.hollow, strict=True)
    for point, style in zip(map(Point, placed.x, placed.y), styles, strict=True):
        rows[style].append(point)
    for (mood, is_hollow), row in sorted(rows.items()):
        kind = " hollow" if is_hollow else ""
        parts.append(f'<g class="dots m{mood}{kind}">{draw_dots(row)}</g>')
    if line:
        parts.append(draw_trend(line, axis_max))
    return MoodRows(
        # Numbers and our own class names only: nothing a person wrote.
        svg=Markup("".join(parts)),  # noqa: S704
        ticks=[
            AxisLabel(str(tick), round(100 * tick / axis_max, 2))
            for tick in list_ticks(axis_max)
        ],
        dots=placed,
        best=label_best_range(best, axis_max, unit) if best else None,
    )


def place_dots(ordered: Dots, axis_max: float) -> PlacedDots:
    """Return the place of each dot; dots beyond the axis lie at its edge."""
    shares = [distance / axis_max for distance in ordered.distance]
    offsets = compute_offsets(shares, ordered.mood)
    inside_count = bisect_right(shares, 1 - _EDGE_MARGIN / WIDTH)
    xs = [round(share * WIDTH) for share in shares[:inside_count]]
    xs += [WIDTH - _EDGE_MARGIN] * (len(shares) - inside_count)
    ys = [
        _to_y(mood - offset * _ROW_FILL)
        for mood, offset in zip(ordered.mood, offsets, strict=True)
    ]
    return PlacedDots(xs, ys, ordered.mood, ordered.number)


def draw_trend(line: MoodCurve, axis_max: float) -> str:
    """Draw the line twice: a halo that parts it from the dots, and itself."""
    path = "M" + "L".join(
        f"{point.x} {point.y}"
        for point in clip_to_axis(line.distance, line.mood, axis_max)
    )
    dash = " dash" if line.is_dashed else ""
    return (
        f'<path class="trend halo{dash}" d="{path}"/>'
        f'<path class="trend{dash}" d="{path}"/>'
    )


def draw_band(line: MoodCurve, axis_max: float) -> str:
    """Draw the area between both bounds of the line, inside the plot."""
    bounds = [
        [min(5.4, max(0.6, mood)) for mood in moods] for moods in (line.low, line.high)
    ]
    lower, upper = (clip_to_axis(line.distance, moods, axis_max) for moods in bounds)
    corners = "L".join(f"{point.x} {point.y}" for point in [*lower, *upper[::-1]])
    return f'<path class="band" d="M{corners}Z"/>'


def clip_to_axis(
    distances: Sequence[float], moods: Sequence[float], axis_max: float
) -> list[Point]:
    """Return the points of a curve that do not lie beyond the axis."""
    return [
        Point(_to_x(distance, axis_max), _to_y(mood))
        for distance, mood in zip(distances, moods, strict=True)
        if distance <= axis_max
    ]


def label_best_range(best: BestRange, axis_max: float, unit: str) -> AxisLabel:
    """Name the best range, above the middle of its visible part."""
    low, high = best.low, best.high
    if high == inf:
        text = gettext("%(low)s %(unit)s or more", low=f"{low:.0f}", unit=unit)
    elif low <= 0:
        text = gettext("under %(high)s %(unit)s", high=f"{high:.0f}", unit=unit)
    else:
        text = f"{low:.0f}–{high:.0f} {unit}"
    center = (low + min(high, axis_max)) / 2
    return AxisLabel(text, round(100 * center / axis_max, 2))


def _to_x(distance: float, axis_max: float) -> int:
    return round(distance / axis_max * WIDTH)


def _to_y(mood: float) -> int:
    return round(HEIGHT - (mood - 0.5) * HEIGHT / 5)
