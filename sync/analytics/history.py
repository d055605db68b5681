"""One runner's runs and answers as columns, and what follows from them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sync.analytics.loads import WEEK_DAYS
from sync.analytics.series import Flags, Floats, Ints

AFTER_RUN_HOURS = 6
SESSION_GAP_S = 3 * 3600
SECONDS_PER_DAY = 86_400
SECONDS_PER_HOUR = 3600
STREET, TRAIL, INDOORS = 0, 1, 2
ALONE, WITH_OTHERS = 0, 1


@dataclass(frozen=True, slots=True)
class Runs:
    """Visible runs, oldest start first; every column has shape (n,).

    Times are seconds since the epoch, `local_day` is `date.toordinal()` where
    the run was. `ended_s` and `start_hour` (local) are nan when the runner
    hides the time of day.
    """

    id: Ints
    started_s: Floats
    ended_s: Floats
    local_day: Ints
    start_hour: Floats
    distance_m: Floats
    moving_s: Floats
    race: Flags
    place: Ints
    with_others: Flags


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers, oldest first; every column has shape (m,).

    `run` is the row in Runs, -1 for a check-in and for an answer whose run is
    gone. Optional answers are nan where they were not given.
    """

    id: Ints
    run: Ints
    check_in: Flags
    answered_s: Floats
    local_day: Ints
    mood: Floats
    stress: Floats
    before: Floats
    company: Floats
    place: Floats
    focus: Floats


@dataclass(frozen=True)
class History:
    """Everything the figures of one runner are computed from."""

    runs: Runs
    answers: Answers
    asked: int
    today: int

    @cached_property
    def session_m(self) -> Floats:
        """Distance up to each run's end in its session, shape (n,).

        A second run within three hours of the last belongs to it: the answer
        after it is an answer to both.
        """
        runs = self.runs
        gap_s = runs.started_s[1:] - runs.ended_s[:-1]
        starts = np.concatenate(([True], ~(gap_s < SESSION_GAP_S)))[: len(runs.id)]
        first = np.flatnonzero(starts)[np.cumsum(starts) - 1]
        so_far = np.concatenate(([0.0], np.cumsum(runs.distance_m)))
        return np.asarray(so_far[1:] - so_far[first])

    @cached_property
    def load_m(self) -> Floats:
        """Distance of the seven local days up to and including each run, (n,)."""
        runs = self.runs
        order = np.lexsort((runs.started_s, runs.local_day))
        day = runs.local_day[order]
        so_far = np.concatenate(([0.0], np.cumsum(runs.distance_m[order])))
        oldest = np.searchsorted(day, day - WEEK_DAYS, side="right")
        load = np.empty_like(runs.distance_m)
        load[order] = so_far[1:] - so_far[oldest]
        return load

    @cached_property
    def hours_after(self) -> Floats:
        """Hours from a run's end to its answer, shape (m,); nan without a run."""
        ended_s = np.append(self.runs.ended_s, np.nan)[self.answers.run]
        return np.asarray((self.answers.answered_s - ended_s) / SECONDS_PER_HOUR)

    @cached_property
    def after_run(self) -> Flags:
        """Answers that count as after the run: within six hours, shape (m,)."""
        hours = self.hours_after
        return np.asarray((hours >= 0) & (hours <= AFTER_RUN_HOURS))

    @cached_property
    def late(self) -> Flags:
        """Answers to a run after more than six hours: drawn hollow, shape (m,)."""
        return np.asarray(self.hours_after > AFTER_RUN_HOURS)

    @cached_property
    def rested(self) -> Flags:
        """Check-ins with no run begun earlier on the same day, shape (m,)."""
        day, place = np.unique(self.runs.local_day, return_inverse=True)
        first_s = np.full(len(day) + 1, np.inf)
        np.minimum.at(first_s, place, self.runs.started_s)
        spot = np.searchsorted(day, self.answers.local_day)
        same = np.append(day, -1)[spot] == self.answers.local_day
        ran = same & (first_s[spot] <= self.answers.answered_s)
        return np.asarray(self.answers.check_in & ~ran)

    @cached_property
    def answer_days(self) -> Floats:
        """When each answer came, in days with fractions, shape (m,)."""
        return np.asarray(self.answers.answered_s / SECONDS_PER_DAY)
