"""How the demo's runner feels: a known relation, drawn with a fixed seed.  Pure.

Mood rises with the distance of the last seven days up to about 40 km and falls
beyond; it drifts from day to day (AR(1), 0.4), is a little better after a run
than on a rest day, and stress runs against it.  Answers come after about 70 %
of the runs and on about two rest days a week.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import exp, sqrt
from random import Random

BEST_WEEK_M = 40_000.0
WIDTH_M = 13_000.0
PEAK = 0.9
DEPTH = 2.1
LIFT = 0.5
DRIFT = 0.4
NOISE = 0.5
ANSWERED = 0.7
ASKED_ON_REST_DAYS = 2 / 7


@dataclass(frozen=True, slots=True)
class Lived:
    """One run of the runner: our id, its end, and the week's metres up to it."""

    run_id: int
    ended_at: datetime
    local_day: date
    offset_s: int
    week_m: float


@dataclass(frozen=True, slots=True)
class Said:
    """What the runner was asked, and answered unless `values` is empty."""

    run_id: int | None
    asked_at: datetime
    answered_at: datetime
    minutes_since_end: int | None
    values: dict[str, int]


def answers(runs: Sequence[Lived], *, seed: int) -> Iterator[Said]:
    """Tell what was asked after each run and on random rest days, in order."""
    chance = Random(seed)  # noqa: S311  chance for play, not for secrets
    by_day = {run.local_day: run for run in runs}
    if not by_day:
        return
    day, drift, week_m = min(by_day), 0.0, 0.0
    while day <= max(by_day):
        drift = DRIFT * drift + chance.gauss(0, NOISE * sqrt(1 - DRIFT**2))
        run = by_day.get(day)
        if run is not None:
            week_m = run.week_m
            yield _after_run(run, drift, chance)
        elif chance.random() < ASKED_ON_REST_DAYS:
            yield _on_rest_day(day, runs[0].offset_s, week_m, drift, chance)
        day += timedelta(days=1)


def mood(week_m: float, drift: float) -> float:
    """Return how the runner feels on a scale of which -2 to 2 can be said."""
    away = ((week_m - BEST_WEEK_M) / WIDTH_M) ** 2
    return PEAK - DEPTH * (1 - exp(-away)) + drift


def _after_run(run: Lived, drift: float, chance: Random) -> Said:
    asked_at = run.ended_at + timedelta(minutes=30)
    waited_min = int(chance.expovariate(1 / 45)) + 1
    felt = mood(run.week_m, drift) + LIFT + chance.gauss(0, 0.35)
    answered = chance.random() < ANSWERED and waited_min < 20 * 60
    return Said(
        run_id=run.run_id,
        asked_at=asked_at,
        answered_at=asked_at + timedelta(minutes=waited_min),
        minutes_since_end=30 + waited_min,
        values=_words(felt, chance, after_run=True) if answered else {},
    )


def _on_rest_day(
    day: date, offset_s: int, week_m: float, drift: float, chance: Random
) -> Said:
    clock = time(12 + chance.randrange(8), chance.randrange(60))
    asked_at = datetime.combine(day, clock, tzinfo=UTC) - timedelta(seconds=offset_s)
    felt = mood(week_m, drift) + chance.gauss(0, 0.35)
    answered = chance.random() < ANSWERED
    return Said(
        run_id=None,
        asked_at=asked_at,
        answered_at=asked_at + timedelta(minutes=chance.randrange(1, 200)),
        minutes_since_end=None,
        values=_words(felt, chance, after_run=False) if answered else {},
    )


def _words(felt: float, chance: Random, *, after_run: bool) -> dict[str, int]:
    values = {
        "mood": _step(felt, -2, 2),
        "stress": _step(1.6 - 0.7 * felt + chance.gauss(0, 0.6), 0, 4),
    }
    if after_run:
        values["before"] = _step(felt - 0.8 + chance.gauss(0, 0.5), -2, 2)
        values["energy"] = _step(2 + 0.6 * felt + chance.gauss(0, 0.8), 0, 4)
    return values


def _step(value: float, least: int, most: int) -> int:
    return max(least, min(most, round(value)))
