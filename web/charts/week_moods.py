"""Mood week by week, smoothed; it stands above the distance bars of those weeks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 250
_STEP = HEIGHT / 5
_SPREAD_WEEKS = 2.0
_REACH_WEEKS = 5


@dataclass(frozen=True, slots=True)
class WeekMoods:
    svg: Markup
    smoothed: list[float | None]


def draw(weeks: Sequence[Sequence[int]]) -> WeekMoods:
    """Draw the moods (1 to 5) of each week, oldest week first.

    The line is a mean of neighbouring weeks, nearer ones and fuller ones more;
    it breaks where there were no answers for weeks on either side.
    """
    smoothed = smooth(weeks)
    slot = WIDTH / max(1, len(weeks))
    rows = "".join(f"M0 {_down(mood):g}H{WIDTH}" for mood in range(1, 6))
    dots = "".join(
        f"M{(place + 0.5) * slot:.0f} {_down(sum(moods) / len(moods)):.0f}h0"
        for place, moods in enumerate(weeks)
        if moods
    )
    parts = [f'<path class="row" d="{rows}"/>']
    if dots:
        parts.append(f'<path class="weekly" d="{dots}"/>')
    parts.extend(f'<path class="trend" d="{line}"/>' for line in _lines(smoothed, slot))
    return WeekMoods(
        svg=Markup("".join(parts)),  # noqa: S704 - numbers and our own names
        smoothed=smoothed,
    )


def smooth(weeks: Sequence[Sequence[int]]) -> list[float | None]:
    """Return each week's mean mood among its neighbours; None where none is near."""
    sums = [(sum(moods), len(moods)) for moods in weeks]
    return [_near(sums, place) for place in range(len(sums))]


def _near(sums: Sequence[tuple[int, int]], place: int) -> float | None:
    total = weight = 0.0
    first = max(0, place - _REACH_WEEKS)
    for other in range(first, min(len(sums), place + _REACH_WEEKS + 1)):
        share = math.exp(-0.5 * ((other - place) / _SPREAD_WEEKS) ** 2)
        total += share * sums[other][0]
        weight += share * sums[other][1]
    return total / weight if weight else None


def _lines(smoothed: Sequence[float | None], slot: float) -> list[str]:
    lines: list[list[str]] = [[]]
    for place, mood in enumerate(smoothed):
        if mood is None:
            lines.append([])
        else:
            lines[-1].append(f"{(place + 0.5) * slot:.0f} {_down(mood):.0f}")
    return ["M" + "L".join(line) for line in lines if len(line) > 1]


def _down(mood: float) -> float:
    return HEIGHT - (mood - 0.5) * _STEP
