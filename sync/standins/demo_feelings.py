"""How the demo's runner feels and answers, drawn from known relations.  Pure.

Mood is best in weeks of about 35 km, drifts from day to day (AR(1), 0.4), and is a
little better at weekends and towards the evening.  A run lifts it for some hours, more
so in company and outdoors, less so when it was hard.  Stress, energy, a clear head and
the others follow mood and the run, each with noise of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import cos, exp, pi, sqrt
from random import Random

from sync.models import Run

OPTIMUM_WEEK_M = 35_000.0
WIDTH_M = 11_000.0
PEAK = 0.5
DEPTH = 2.0
DRIFT_AR1 = 0.4
DRIFT_SD = 0.4
WEEKEND_LIFT = 0.25
HOUR_LIFT = 0.15
BRIGHTEST_HOUR = 17
NOISE_SD = 0.35

RUN_LIFT = 1.0
LIFT_HOURS = 8.0
COMPANY_LIFT = 0.4
INDOORS_LIFT = -0.25
LIFT_BY_EFFORT = -0.3  # for each step above "moderate"
RECALL_BIAS = -0.35

_SECONDS_PER_HOUR = 3600
_SATURDAY = 5
_MODERATE = 2
STREET, TRAIL, INDOORS = 0, 1, 2


@dataclass(frozen=True, slots=True)
class RunFelt:
    """A run with what the runner would say of it, on the scales of the answers."""

    run: Run
    effort: float
    is_together: bool
    place: int
    is_longest: bool

    @property
    def lift(self) -> float:
        """Return by how much mood is higher right after it."""
        return (
            RUN_LIFT
            + COMPANY_LIFT * self.is_together
            + INDOORS_LIFT * (self.place == INDOORS)
            + LIFT_BY_EFFORT * (self.effort - _MODERATE)
        )


class DemoFeelings:
    """The runner's state, which goes on day by day."""

    # The mood of today before hour, runs and noise.
    day_level: float

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._drift = self._tension = 0.0
        self.day_level = 0.0
        self._has_run_yesterday = False
        self._runs_today: list[RunFelt] = []
        self._longest_m = 0.0

    def begin_day(self, day: date, week_m: float) -> None:
        """Go on to the next day; `week_m` is the distance of the last seven."""
        self._drift = self._advance(self._drift)
        self._tension = self._advance(self._tension)
        self._has_run_yesterday = bool(self._runs_today)
        self._runs_today = []
        self.day_level = (
            compute_load_mood(week_m)
            + self._drift
            + WEEKEND_LIFT * (day.weekday() >= _SATURDAY)
        )

    def finish_run(self, run: Run) -> RunFelt:
        """Add a run of today: from its end on it is felt."""
        rng = self._rng
        kilometres = run.distance_m / 1000
        effort = 1.3 + 0.14 * (kilometres - 6) + 1.2 * run.race + rng.gauss(0, 0.7)
        felt = RunFelt(
            run=run,
            effort=effort,
            is_together=run.with_others or rng.random() < 0.08,
            place=INDOORS
            if run.treadmill
            else TRAIL
            if run.sport == "TrailRun" or rng.random() < 0.4
            else STREET,
            is_longest=run.distance_m > self._longest_m > 0,
        )
        self._longest_m = max(self._longest_m, run.distance_m)
        self._runs_today.append(felt)
        return felt

    def answer_on_way_out(self, at: datetime) -> Mapping[str, int]:
        """Return the one answer of the bookmark for the way out, at a local time."""
        return {"mood": _round_mood(self._draw_mood(at))}

    def answer_after_run(
        self, felt: RunFelt, at: datetime, focus: str
    ) -> dict[str, int]:
        """Return the answers to the question about a run, given at a local time."""
        rng = self._rng
        mood = self._draw_mood(at)
        before = mood - self._compute_lift(at) + RECALL_BIAS + rng.gauss(0, 0.4)
        values = {
            "mood": _round_mood(mood),
            "stress": self._draw_stress(mood, at),
            focus: self._draw_focus(focus, mood, felt),
        }
        if rng.random() < 0.85:
            values["before"] = _round_mood(before)
        if rng.random() < 0.7:
            values |= {"company": int(felt.is_together), "place": felt.place}
            values["race"] = int(felt.run.race)
        return values

    def answer_checkin(self, at: datetime, focus: str) -> dict[str, int]:
        """Return the answers to a check-in, given at a local time."""
        mood = self._draw_mood(at)
        return {
            "mood": _round_mood(mood),
            "stress": self._draw_stress(mood, at),
            focus: self._draw_checkin_focus(focus, mood, at),
        }

    def _draw_mood(self, at: datetime) -> float:
        hour_angle = 2 * pi * (at.hour + at.minute / 60 - BRIGHTEST_HOUR) / 24
        return (
            self.day_level
            + HOUR_LIFT * cos(hour_angle)
            + self._compute_lift(at)
            + self._rng.gauss(0, NOISE_SD)
        )

    def _compute_lift(self, at: datetime) -> float:
        """Return what is left of the lifts of today's runs at a local time."""
        return sum(
            felt.lift * exp(-_hours_between(felt.run.ended_at, at) / LIFT_HOURS)
            for felt in self._runs_today
            if felt.run.ended_at <= at
        )

    def _draw_stress(self, mood: float, at: datetime) -> int:
        return _round_level(
            1.7
            - 0.45 * mood
            - 0.5 * self._compute_lift(at)
            + 0.3 * (at.weekday() < _SATURDAY)
            + self._tension
            + self._rng.gauss(0, 0.5)
        )

    def _draw_focus(self, key: str, mood: float, felt: RunFelt) -> int:
        if key == "effort":
            return _round_level(felt.effort)
        kilometres = felt.run.distance_m / 1000
        means = {
            "energy": 2.5 + 0.6 * mood - 0.05 * (kilometres - 8),
            "presence": 2.0 + 0.4 * mood,
            "progress": 1.9 + 0.3 * mood + felt.run.race + felt.is_longest,
            "clarity": 2.6 + 0.4 * mood,
            "connection": 1.4 + 0.3 * mood + 1.2 * felt.is_together,
        }
        return _round_level(means[key] + self._rng.gauss(0, 0.8))

    def _draw_checkin_focus(self, key: str, mood: float, at: datetime) -> int:
        has_run = any(felt.run.ended_at <= at for felt in self._runs_today)
        means = {
            "sleep": 2.2 + 0.5 * self._has_run_yesterday + 0.3 * self._drift,
            "confidence": 2.1 + 0.4 * mood + 0.2 * has_run,
            "control": 2.0 + 0.4 * mood + 0.2 * has_run,
            "clarity": 1.7 + 0.4 * mood,
        }
        return _round_level(means[key] + self._rng.gauss(0, 0.8))

    def _advance(self, value: float) -> float:
        innovation_sd = DRIFT_SD * sqrt(1 - DRIFT_AR1**2)
        return DRIFT_AR1 * value + self._rng.gauss(0, innovation_sd)


def compute_load_mood(week_m: float) -> float:
    """Return the mood that a week of this distance goes with, before all else."""
    squared_distance = ((week_m - OPTIMUM_WEEK_M) / WIDTH_M) ** 2
    return PEAK - DEPTH * (1 - exp(-squared_distance))


def _hours_between(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / _SECONDS_PER_HOUR


def _round_mood(value: float) -> int:
    return max(-2, min(2, round(value)))


def _round_level(value: float) -> int:
    return max(0, min(4, round(value)))
