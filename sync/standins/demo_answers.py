"""The demo runner's answers, drawn from a known relation with a fixed seed.  Pure.

Mood rises with the distance of the last seven days up to about 40 km and falls
beyond; it drifts from day to day (AR(1), 0.4), is a little better after a run
than on a rest day, and stress runs against it.  Answers come after about 70 %
of the runs and on about two rest days a week.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import exp, sqrt
from random import Random

from sync.models import Run

OPTIMUM_WEEK_M = 40_000.0
WIDTH_M = 13_000.0
PEAK = 0.9
DEPTH = 2.1
AFTER_RUN_LIFT = 0.5
DRIFT_AR1 = 0.4
DRIFT_SD = 0.5
ANSWER_PROBABILITY = 0.7
REST_DAY_PROBABILITY = 2 / 7


@dataclass(frozen=True, slots=True)
class DemoAnswer:
    """One survey and its answer; without `values` it was not answered."""

    run_id: int | None
    asked_at: datetime
    answered_at: datetime
    minutes_since_end: int | None
    values: dict[str, int]


def generate_answers(
    runs: Sequence[Run], week_loads_m: Sequence[float], *, seed: int
) -> Iterator[DemoAnswer]:
    """Yield the surveys after each run and on random rest days, in order of days.

    `week_loads_m` holds for each run the distance of the 7 days up to it.
    """
    rng = Random(seed)  # noqa: S311  chance for play, not for secrets
    by_day = {
        run.local_day: (run, load_m)
        for run, load_m in zip(runs, week_loads_m, strict=True)
    }
    if not by_day:
        return
    day, drift, week_m = min(by_day), 0.0, 0.0
    while day <= max(by_day):
        drift = DRIFT_AR1 * drift + rng.gauss(0, DRIFT_SD * sqrt(1 - DRIFT_AR1**2))
        if day in by_day:
            run, week_m = by_day[day]
            asked_at = run.ended_at + timedelta(minutes=30)
            waited_min = int(rng.expovariate(1 / 45)) + 1
            mood = latent_mood(week_m, drift) + AFTER_RUN_LIFT + rng.gauss(0, 0.35)
            is_answered = rng.random() < ANSWER_PROBABILITY and waited_min < 20 * 60
            yield DemoAnswer(
                run_id=run.id,
                asked_at=asked_at,
                answered_at=asked_at + timedelta(minutes=waited_min),
                minutes_since_end=30 + waited_min,
                values=_generate_values(mood, rng, is_after_run=True)
                if is_answered
                else {},
            )
        elif rng.random() < REST_DAY_PROBABILITY:
            local_time = time(12 + rng.randrange(8), rng.randrange(60))
            local_at = datetime.combine(day, local_time, tzinfo=UTC)
            asked_at = local_at - timedelta(seconds=runs[0].offset_s)
            mood = latent_mood(week_m, drift) + rng.gauss(0, 0.35)
            is_answered = rng.random() < ANSWER_PROBABILITY
            yield DemoAnswer(
                run_id=None,
                asked_at=asked_at,
                answered_at=asked_at + timedelta(minutes=rng.randrange(1, 200)),
                minutes_since_end=None,
                values=_generate_values(mood, rng, is_after_run=False)
                if is_answered
                else {},
            )
        day += timedelta(days=1)


def latent_mood(week_m: float, drift: float) -> float:
    """Return the mood before noise, on the scale of the answers (-2 to 2)."""
    squared_distance = ((week_m - OPTIMUM_WEEK_M) / WIDTH_M) ** 2
    return PEAK - DEPTH * (1 - exp(-squared_distance)) + drift


def _generate_values(mood: float, rng: Random, *, is_after_run: bool) -> dict[str, int]:
    values = {
        "mood": _round_to_scale(mood, -2, 2),
        "stress": _round_to_scale(1.6 - 0.7 * mood + rng.gauss(0, 0.6), 0, 4),
    }
    if is_after_run:
        values["before"] = _round_to_scale(mood - 0.8 + rng.gauss(0, 0.5), -2, 2)
        values["energy"] = _round_to_scale(2 + 0.6 * mood + rng.gauss(0, 0.8), 0, 4)
    return values


def _round_to_scale(value: float, minimum: int, maximum: int) -> int:
    return max(minimum, min(maximum, round(value)))
