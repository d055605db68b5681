"""The examples of the start page: a season of made-up runs, and what they say."""

import math
from dataclasses import dataclass
from functools import cache
from random import Random

from sync.language import gettext as _
from web.charts.mood_rows import BestRange, Dots, MoodCurve, MoodRows, draw

_N_RUNS = 230
_BEST_KM = 38
_BEST_RANGE = BestRange(30.0, 45.0)


@cache
def draw_example() -> MoodRows:
    """Draw the same made-up runner every time."""
    rng = Random(20261122)  # noqa: S311 - a drawing, not a secret
    distances, moods = [], []
    for _run in range(_N_RUNS):
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


@dataclass(frozen=True, slots=True)
class ExampleClaim:
    """A claim and what a made-up runner's answers say; `strength` has 1 to 3 bars."""

    article: str
    kind: str
    status: str
    strength: int
    sentence: str


def list_example_claims() -> list[ExampleClaim]:
    """Return four claims with a clear answer, an early sign, none and too few."""
    return [
        ExampleClaim(
            article=_("Running with others feels better than running alone."),
            kind="clear",
            status=_("Clear for you"),
            strength=3,
            sentence=_("Mood tended to be higher after runs with others."),
        ),
        ExampleClaim(
            article=_("Mood and mileage go together."),
            kind="early",
            status=_("Early sign"),
            strength=2,
            sentence=_("You may feel better in weeks of %(range)s.", range="30–45 km"),
        ),
        ExampleClaim(
            article=_(
                "Short and slow runs count too: something is better than nothing."
            ),
            kind="no-link",
            status=_("No clear link so far"),
            strength=1,
            sentence=_("No clear link so far between minutes of running and mood."),
        ),
        ExampleClaim(
            article=_("Keep it easy: a gentle effort feels best."),
            kind="too-few",
            status=_("%(n)s of %(needed)s answers", n=12, needed=30),
            strength=0,
            sentence="",
        ),
    ]


def _typical_mood(distance: float) -> float:
    return 2.2 + 2.1 * math.exp(-(((distance - _BEST_KM) / 30) ** 2))


def _band_half_width(distance: float) -> float:
    return 0.12 + 0.0004 * (distance - _BEST_KM) ** 2
