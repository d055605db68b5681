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
    lines: list[list[str]] = [[]]
    for index, mood in enumerate(smoothed):
        if mood is None:
            lines.append([])
        else:
            lines[-1].append(f"{(index + 0.5) * week_width:.0f} {_to_y(mood):.0f}")
    parts.extend(
        f'<path class="trend" d="M{"L".join(line)}"/>'
        for line in lines
        if len(line) > 1
    )
    return WeekMoods(
        svg=Markup("".join(parts)),  # noqa: S704 - numbers and our own names
        smoothed=smoothed,
    )


def smooth_moods(weeks: Sequence[Sequence[int]]) -> list[float | None]:
    """Return a mean around each week, with Gaussian weights; None without answers.

    A week counts by its number of answers, up to five weeks on either side.
    """
    smoothed: list[float | None] = []
    for index in range(len(weeks)):
        total = weight = 0.0
        first = max(0, index - _KERNEL_RADIUS_WEEKS)
        for neighbour, moods in enumerate(
            weeks[first : index + _KERNEL_RADIUS_WEEKS + 1], start=first
        ):
            distance = (neighbour - index) / _KERNEL_WIDTH_WEEKS
            kernel_weight = math.exp(-0.5 * distance**2)
            total += kernel_weight * sum(moods)
            weight += kernel_weight * len(moods)
        smoothed.append(total / weight if weight else None)
    return smoothed


def _to_y(mood: float) -> float:
    return HEIGHT - (mood - 0.5) * _MOOD_HEIGHT
