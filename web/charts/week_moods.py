"""Mood week by week, smoothed; it stands above the distance bars of those weeks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 250
_MOOD_HEIGHT = HEIGHT / 5
_KERNEL_WIDTH_WEEKS = 2.0
_KERNEL_RADIUS_WEEKS = 5


@dataclass(frozen=True, slots=True)
class WeekMoods:
    svg: Markup
    smoothed: list[float | None]


def draw(weeks: Sequence[Sequence[int]]) -> WeekMoods:
    """Draw the moods (1 to 5) of each week, oldest week first.

    The line is a mean of neighbouring weeks, nearer ones and fuller ones more;
    it breaks where there were no answers for weeks on either side.
    """
    smoothed = smooth_moods(weeks)
    week_width = WIDTH / max(1, len(weeks))
    rows = "".join(f"M0 {_to_y(mood):g}H{WIDTH}" for mood in range(1, 6))
    dots = "".join(
        f"M{(index + 0.5) * week_width:.0f} {_to_y(sum(moods) / len(moods)):.0f}h0"
        for index, moods in enumerate(weeks)
        if moods
    )
    parts = [f'<path class="row" d="{rows}"/>']
    if dots:
        parts.append(f'<path class="weekly" d="{dots}"/>')
    parts.extend(
        f'<path class="trend" d="{line}"/>'
        for line in _list_line_paths(smoothed, week_width)
    )
    return WeekMoods(
        svg=Markup("".join(parts)),  # noqa: S704 - numbers and our own names
        smoothed=smoothed,
    )


def smooth_moods(weeks: Sequence[Sequence[int]]) -> list[float | None]:
    """Return each week's mean mood among its neighbours; None where none is near."""
    sums = [(sum(moods), len(moods)) for moods in weeks]
    return [_weighted_mean(sums, index) for index in range(len(sums))]


def _weighted_mean(sums: Sequence[tuple[int, int]], index: int) -> float | None:
    total = weight = 0.0
    first_index = max(0, index - _KERNEL_RADIUS_WEEKS)
    for neighbour in range(
        first_index, min(len(sums), index + _KERNEL_RADIUS_WEEKS + 1)
    ):
        kernel_weight = math.exp(
            -0.5 * ((neighbour - index) / _KERNEL_WIDTH_WEEKS) ** 2
        )
        total += kernel_weight * sums[neighbour][0]
        weight += kernel_weight * sums[neighbour][1]
    return total / weight if weight else None


def _list_line_paths(smoothed: Sequence[float | None], week_width: float) -> list[str]:
    lines: list[list[str]] = [[]]
    for index, mood in enumerate(smoothed):
        if mood is None:
            lines.append([])
        else:
            lines[-1].append(f"{(index + 0.5) * week_width:.0f} {_to_y(mood):.0f}")
    return ["M" + "L".join(line) for line in lines if len(line) > 1]


def _to_y(mood: float) -> float:
    return HEIGHT - (mood - 0.5) * _MOOD_HEIGHT
