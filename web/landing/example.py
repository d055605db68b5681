"""The example chart of the start page: a season of made-up runs."""

import math
from functools import cache
from random import Random

from web.charts.mood_rows import BestRange, Dots, MoodCurve, MoodRows, draw

_N_RUNS = 230
_BEST_KM = 38
_BEST_RANGE = BestRange(30.0, 45.0)


@cache
def draw_example() -> MoodRows:
    """Draw the same made-up runner every time."""
    rng = Random(20261122)  # noqa: S311 - a drawing, not a secret
    distances, moods = [], []
    for _ in range(_N_RUNS):
        distance = rng.triangular(4, 82, 32)
        mood = round(_typical_mood(distance) + rng.gauss(0, 0.75))
        distances.append(distance)
        moods.append(min(5, max(1, mood)))
    dots = Dots(distances, moods, number=[0] * _N_RUNS, hollow=[False] * _N_RUNS)
    grid = [8 + 2 * step for step in range(35)]
    fit = [_typical_mood(distance) for distance in grid]
    line = MoodCurve(
        grid,
        fit,
        low=[
            mood - _band_half_width(distance)
            for mood, distance in zip(fit, grid, strict=True)
        ],
        high=[
            mood + _band_half_width(distance)
            for mood, distance in zip(fit, grid, strict=True)
        ],
    )
    return draw(dots, line=line, best=_BEST_RANGE)


def _typical_mood(distance: float) -> float:
    return 2.2 + 2.1 * math.exp(-(((distance - _BEST_KM) / 30) ** 2))


def _band_half_width(distance: float) -> float:
    return 0.12 + 0.0004 * (distance - _BEST_KM) ** 2
