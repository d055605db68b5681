"""Simulated runners with a known truth, as the figures would receive them."""

import csv
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np
from scipy.signal import lfilter
from scipy.stats import norm, rankdata

from sync.analytics.dataset.history import (
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    AnswerArrays,
    History,
    RunArrays,
)
from sync.analytics.stats.series import Flags, Floats, Ints
from tests.support.paths import DATA

LOG = DATA / "marathon.csv"
FIRST_DAY = date(2024, 1, 1).toordinal()
EPOCH = date(1970, 1, 1).toordinal()
DAYS = 915
STEPS = (-1.8, -0.9, 0.1, 1.1)  # latent mood to Awful, Low, OK, Good, Great
MILE_M = 1609.344
LONGER_ON_FREE_DAYS = 1.2  # of the spread of a runner's distances on a log scale


class FreeDays(StrEnum):
    """Whose days off: an office's weekends, or three days off after three on."""

    WEEKENDS = "weekends"
    SHIFTS = "shifts"


@dataclass(frozen=True, slots=True)
class SimulatedTruth:
    """What is true of a simulated runner.

    persistence   day-to-day correlation of mood, and of simulated mileage
    real          mileage from a real log, turned to a random start
    season        one wave a year, as large as all the rest, in mood and mileage
    longer        true correlation of mood with this run's distance
    range         true correlation of mood with closeness to a usual week
    after         how many standard deviations a run lifts mood
    free_days     which days are free; on them most runs are long and in the morning,
                  on others short and in the evening, as most people's are
    on_free_days  how many standard deviations moods are better on free days, run or not
    by_hour       how many standard deviations moods are better at six than at 22
                  o'clock, run or not
    """

    persistence: float
    real: bool = False
    season: bool = False
    longer: float = 0.0
    range: float = 0.0
    after: float = 0.0
    free_days: FreeDays | None = None
    on_free_days: float = 0.0
    by_hour: float = 0.0


@dataclass(slots=True)
class RunnerSimulator:
    """Makes runners of one world, one after another."""

    world: SimulatedTruth
    random: np.random.Generator
    log_m: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.log_m = load_marathon_log()

    def simulate_runner(self) -> History:
        """Make 915 days of one runner, about 60 % answered, fewer on bad days."""
        wave = self._wave()
        daily_m = self._mileage(wave)
        mood, stress = self._series(wave), self._series(-wave)
        run_days = np.flatnonzero(daily_m > 0)
        runs = self._runs(run_days, daily_m[run_days], wave)
        latent = self._with_truth(runs, mood[run_days])
        idle = np.setdiff1d(np.arange(DAYS), run_days)
        checked = idle[self.random.random(len(idle)) < 2 / 7]
        scale = 2**0.5 if self.world.season else 1.0
        at_s = self._answer_times(runs, checked)
        lift = self._calendar_lift(at_s)
        moods = np.concatenate((latent + self.world.after, mood[checked] / scale))
        stresses = np.concatenate((stress[run_days], stress[checked])) / scale
        answers = self._answers(at_s, len(run_days), (moods + lift, stresses - lift))
        return History(runs, answers, asked_count=len(run_days), today=FIRST_DAY + DAYS)

    def _wave(self) -> Floats:
        if not self.world.season:
            return np.zeros(DAYS)
        start = self.random.uniform(0, 365)
        return np.asarray(2**0.5 * np.sin(2 * np.pi * (np.arange(DAYS) + start) / 365))

    def _series(self, wave: Floats) -> Floats:
        """Draw standard normal days with persistence, the year's wave on top."""
        persistence = self.world.persistence
        noise = self.random.normal(size=DAYS) * (1 - persistence**2) ** 0.5
        noise[0] /= (1 - persistence**2) ** 0.5
        return np.asarray(
            lfilter([1], [1, -persistence], noise) + wave, dtype=np.float64
        )

    def _mileage(self, wave: Floats) -> Floats:
        """Metres on each of the days, 0 on days without a run."""
        if self.world.real:
            return np.roll(self.log_m, int(self.random.integers(DAYS)))
        level = self._series(wave) / (2**0.5 if self.world.season else 1.0)
        spread = 0.7 * level + 0.7 * self.random.normal(size=DAYS)
        spread += LONGER_ON_FREE_DAYS * self._find_free_days(np.arange(DAYS))
        metres = 1000 * np.maximum(np.exp(2.1 + 0.45 * spread), 1.0)
        return np.where(self.random.random(DAYS) < 0.5, metres, 0.0)

    def _runs(self, days: Ints, metres: Floats, wave: Floats) -> RunArrays:
        n = len(days)
        is_free = self._find_free_days(days)
        hour = self._start_hours(is_free)
        moving = metres * self.random.normal(0.36, 0.02, n)
        local_day = (FIRST_DAY + days).astype(np.int64)
        started = (local_day - EPOCH) * SECONDS_PER_DAY + hour * 3600
        cold = self._series(-wave)[days] > 0.8
        return RunArrays(
            id=np.arange(1, n + 1),
            started_s=started,
            ended_s=started + moving,
            local_day=local_day,
            start_hour=hour,
            distance_m=metres,
            moving_s=moving,
            is_race=self.random.random(n) < 0.03,
            place=np.where(
                cold, 2, np.where(self.random.random(n) < 0.3 + 0.4 * is_free, 1, 0)
            ),
            is_with_others=self._series(np.zeros(DAYS))[days] > 0.5 - is_free,
        )

    def _find_free_days(self, days: Ints) -> Flags:
        """Tell which days are off; none where work and runs have no common rhythm."""
        match self.world.free_days:
            case FreeDays.WEEKENDS:
                return np.asarray((FIRST_DAY - 1 + days) % 7 >= 5)
            case FreeDays.SHIFTS:
                return np.asarray(days % 6 >= 3)
            case None:
                return np.zeros(len(days), dtype=bool)

    def _start_hours(self, is_free: Flags) -> Floats:
        n = len(is_free)
        if self.world.free_days is None:
            return self.random.choice([6.5, 7.5, 12.5, 17.5, 18.5], n)
        is_morning = self.random.random(n) < np.where(is_free, 0.85, 0.15)
        usual = np.where(is_morning, 8.0, 18.0)
        return np.asarray(usual + self.random.uniform(-1.5, 1.5, n))

    def _calendar_lift(self, at_s: Floats) -> Floats:
        """Return what the day and the hour alone do to mood, shape (m,)."""
        days = np.floor(at_s / SECONDS_PER_DAY).astype(np.int64) + EPOCH - FIRST_DAY
        hour = np.clip(at_s % SECONDS_PER_DAY / SECONDS_PER_HOUR, 6, 22)
        on_free_days = self.world.on_free_days * self._find_free_days(days)
        return np.asarray(on_free_days + self.world.by_hour * (22 - hour) / 16)

    def _with_truth(self, runs: RunArrays, mood: Floats) -> Floats:
        """Mix the true relation into mood after runs, keeping its spread at 1."""
        mood = mood / (2**0.5 if self.world.season else 1.0)
        blank = np.zeros(0)
        only_runs = _answers(np.zeros(0, int), np.zeros(0, bool), blank, blank)
        ranks = (rankdata(runs.distance_m) - 0.5) / len(mood)
        load_m = History(runs, only_runs, 0, 0).load_m
        closeness = -np.abs((rankdata(load_m) - 0.5) / len(mood) - 0.5)
        closeness = (closeness - closeness.mean()) / closeness.std()
        true = self.world.longer * norm.ppf(ranks) + self.world.range * closeness
        rest = 1 - self.world.longer**2 - self.world.range**2
        return np.asarray(true + rest**0.5 * mood, dtype=np.float64)

    def _answer_times(self, runs: RunArrays, checked: Ints) -> Floats:
        """Return when runs and check-ins are answered, in this order, shape (m,).

        As in the product, check-ins come at clock times of answers about runs.
        """
        hours = np.minimum(self.random.exponential(2.5, len(runs.id)) + 0.4, 23)
        after_runs_s = runs.ended_s + hours * SECONDS_PER_HOUR
        midnight_s = (FIRST_DAY + checked - EPOCH) * SECONDS_PER_DAY
        clock_s = self.random.choice(after_runs_s, len(checked)) % SECONDS_PER_DAY
        return np.concatenate((after_runs_s, midnight_s + clock_s))

    def _answers(
        self, at: Floats, count: int, latent: tuple[Floats, Floats]
    ) -> AnswerArrays:
        """Answer on the five steps, more often not at all the lower the mood.

        The first `count` of the times `at`, shape (m,), are about runs.
        """
        moods, stresses = latent
        mood = (np.digitize(moods, STEPS) - 2).astype(np.float64)
        stress = np.digitize(stresses, STEPS).astype(np.float64)
        run = np.concatenate((np.arange(count), np.full(len(at) - count, -1)))
        probability = 1 / (1 + np.exp(-(0.4 + 0.4 * (mood - 0.3))))
        indices = np.flatnonzero(self.random.random(len(at)) < probability)
        indices = indices[np.argsort(at[indices], kind="stable")]
        energy = np.clip(
            np.round(2 + 0.5 * moods + self.random.normal(size=len(at))), 0, 4
        )
        return _answers(
            run[indices],
            run[indices] < 0,
            at[indices],
            mood[indices],
            stress[indices],
            energy[indices],
        )


def _answers(
    run: Ints, check_in: Flags, at_s: Floats, mood: Floats, *more: Floats
) -> AnswerArrays:
    nothing = np.full(len(run), np.nan)
    stress, energy = more or (nothing, nothing)
    return AnswerArrays(
        run=run,
        is_checkin=check_in,
        answered_s=at_s,
        local_day=(np.floor(at_s / SECONDS_PER_DAY) + EPOCH).astype(np.int64),
        local_hour=at_s % SECONDS_PER_DAY / SECONDS_PER_HOUR,
        mood=mood,
        stress=stress,
        before=nothing,
        company=nothing,
        place=nothing,
        focus={"energy": energy},
    )


def load_marathon_log() -> Floats:
    """Metres on each of 915 days of a real runner's log."""
    with LOG.open(newline="") as file:
        rows = list(csv.DictReader(file))
    days = np.array([date.fromisoformat(row["date"]).toordinal() for row in rows])
    miles = np.array([float(row["miles"]) for row in rows])
    days -= days[0]
    return np.bincount(days, miles * MILE_M, DAYS)[:DAYS].astype(np.float64)
