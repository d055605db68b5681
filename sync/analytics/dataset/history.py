"""One runner's runs and answers as arrays, and what follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from sync.analytics.dataset.distances import (
    Sessions,
    compute_trailing_load,
    compute_week_loads,
    find_sessions,
    find_week_starts,
)
from sync.analytics.dataset.weeks import MONDAY, WEEK_DAYS, count_from_monday
from sync.analytics.stats.series import Flags, Floats, Ints
from sync.answer_window import PRE_RUN_WINDOW

AFTER_RUN_HOURS = 6
SECONDS_PER_DAY = 86_400
SECONDS_PER_HOUR = 3600
HOURS_PER_DAY = 24
STREET, TRAIL, INDOORS = 0, 1, 2
ALONE, WITH_OTHERS = 0, 1
NO_RUN = -1
NO_RUNS: Ints = np.zeros(0, dtype=np.int64)
# The keys of `sync/surveys/instruments/focus.toml`, the default one first.
FOCUS_KEYS = ("energy", "effort", "presence", "progress", "clarity", "connection")
# The keys of `sync/surveys/instruments/checkin_focus.toml` that runs are not asked.
CHECK_IN_FOCUS_KEYS = ("sleep", "confidence", "control")


@dataclass(frozen=True, slots=True)
class RunArrays:
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
    is_race: Flags
    place: Ints
    is_with_others: Flags

    @property
    def end_hour(self) -> Floats:
        """Local hour of each run's end, (n,); above 24 past midnight, nan if hidden."""
        duration_h = (self.ended_s - self.started_s) / SECONDS_PER_HOUR
        return np.asarray(self.start_hour + duration_h)


@dataclass(frozen=True, slots=True)
class AnswerArrays:
    """Answers, oldest first; every column has shape (m,).

    `run` is the row in Runs, -1 for a check-in and for an answer whose run is
    gone. `local_day` is `date.toordinal()` and `local_hour`, 0…24, the time of day
    where the run was, or in the runner's zone. Optional answers are nan where they
    were not given; `focus` has a column for each "question more" that was ever
    answered, by its key: after runs, at check-ins, and a host's own.  `race` is empty
    where nobody was ever asked.
    `earlier_runs` lists (answer, run): runs of the day that a later run's answer is
    about too.
    """

    run: Ints
    is_checkin: Flags
    answered_s: Floats
    local_day: Ints
    local_hour: Floats
    mood: Floats
    stress: Floats
    before: Floats
    company: Floats
    place: Floats
    focus: Mapping[str, Floats] = field(default_factory=dict)
    race: Floats = field(default_factory=lambda: np.zeros(0))
    earlier_runs: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class DelayArrays:
    """Drawn delays, oldest draw first; every column has shape (d,).

    `run` and `answer` are rows in Runs and Answers, -1 without one.  `odds`, shape
    (d, k), has the probability of each of the `offered_h`, 0 for what was not offered.
    """

    run: Ints = field(default_factory=lambda: NO_RUNS)
    answer: Ints = field(default_factory=lambda: NO_RUNS)
    delay_h: Ints = field(default_factory=lambda: NO_RUNS)
    offered_h: Ints = field(default_factory=lambda: NO_RUNS)
    odds: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    asks_s: Floats = field(default_factory=lambda: np.zeros(0))
    is_sent: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    is_answered: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))


@dataclass(frozen=True, slots=True)
class PreRunArrays:
    """Moods that were given on the way out, oldest first; every column (k,)."""

    answered_s: Floats = field(default_factory=lambda: np.zeros(0))
    mood: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class History:
    """Everything the figures of one runner are computed from.

    `today` is a day number, `first_weekday` Python's: Monday 0 … Sunday 6.
    `metres_per_unit` is the runner's kilometre or mile, in which ranges are round.
    """

    runs: RunArrays
    answers: AnswerArrays
    asked_count: int
    today: int
    first_weekday: int = MONDAY
    metres_per_unit: float = 1000.0
    delays: DelayArrays = field(default_factory=DelayArrays)
    pre_run: PreRunArrays = field(default_factory=PreRunArrays)

    @cached_property
    def sessions(self) -> Sessions:
        return find_sessions(self.runs.started_s, self.runs.ended_s)

    @cached_property
    def session_m(self) -> Floats:
        """Return the distance up to each run's end in its session, shape (n,)."""
        return self.sessions.accumulate(self.runs.distance_m)

    @cached_property
    def about_m(self) -> Floats:
        """Return the distance that each answer is about, shape (m,); nan without a run.

        A question that moved behind the day's second run asks about both, hours
        apart as they may be: what was run for one answer is one distance.
        """
        return self._sum_answers(self.runs.distance_m)

    @cached_property
    def about_s(self) -> Floats:
        """Return the seconds in motion that each answer is about, shape (m,)."""
        return self._sum_answers(self.runs.moving_s)

    def _sum_answers(self, amounts: Floats) -> Floats:
        answers = self.answers
        return self.sessions.sum_answers(amounts, answers.run, answers.earlier_runs)

    @cached_property
    def load_m(self) -> Floats:
        """Return the distance of the 7 days up to and including each run, (n,)."""
        return compute_week_loads(self.runs.distance_m, self.runs.local_day)

    def compute_loads(self, at_days: Ints, *, window_days: int = WEEK_DAYS) -> Floats:
        """Return the distance of the local days up to each of `at_days`, (k,)."""
        runs = self.runs
        return compute_trailing_load(
            runs.distance_m, runs.local_day, at_days, window_days=window_days
        )

    def find_last_runs(self, days: Ints) -> Ints:
        """Return the id of the last run on each local day, (k,); NO_RUN without one."""
        runs = self.runs
        order = np.argsort(runs.local_day, kind="stable")
        index = np.searchsorted(runs.local_day[order], days, side="right") - 1
        rows = np.append(order, -1)[index]
        has_run = np.append(runs.local_day, -1)[rows] == days
        return np.asarray(np.where(has_run, np.append(runs.id, NO_RUN)[rows], NO_RUN))

    def find_week_starts(self, days: Ints) -> Ints:
        """Return the first day of the runner's week of each day number, (k,)."""
        return find_week_starts(days, first_weekday=self.first_weekday)

    def map_to_answers(
        self, column: Floats | Ints | Flags, *, missing: float = np.nan
    ) -> Floats:
        """Look up a column of each answer's run, shape (m,); `missing` without one."""
        values = np.append(column.astype(np.float64), missing)[self.answers.run]
        return np.asarray(values, dtype=np.float64)

    @cached_property
    def run_ids(self) -> Ints:
        """Id of each answer's run, shape (m,); NO_RUN without one."""
        return np.append(self.runs.id, NO_RUN)[self.answers.run]

    @cached_property
    def hours_after(self) -> Floats:
        """Hours from a run's end to its answer, shape (m,); nan without a run."""
        ended_s = np.append(self.runs.ended_s, np.nan)[self.answers.run]
        return np.asarray((self.answers.answered_s - ended_s) / SECONDS_PER_HOUR)

    @cached_property
    def is_after_run(self) -> Flags:
        """Answers that count as after the run: within six hours, shape (m,)."""
        hours = self.hours_after
        return np.asarray((hours >= 0) & (hours <= AFTER_RUN_HOURS))

    @cached_property
    def is_late(self) -> Flags:
        """Answers to a run after more than six hours: drawn hollow, shape (m,)."""
        return np.asarray(self.hours_after > AFTER_RUN_HOURS)

    @cached_property
    def _first_runs_of_day(self) -> Ints:
        """Row of the first run on each local day that has one, by day."""
        order = np.argsort(self.runs.local_day, kind="stable")
        days = self.runs.local_day[order]
        is_first = np.append(True, days[1:] > days[:-1])[: len(days)]
        return np.asarray(order[is_first])

    @cached_property
    def run_days(self) -> Ints:
        """Local days with a run, each of them once, oldest first."""
        return np.asarray(self.runs.local_day[self._first_runs_of_day])

    @cached_property
    def is_rest_day(self) -> Flags:
        """Check-ins with no run begun earlier on the same day, shape (m,)."""
        first_s = np.append(self.runs.started_s[self._first_runs_of_day], np.inf)
        index = np.searchsorted(self.run_days, self.answers.local_day)
        has_run_that_day = np.append(self.run_days, -1)[index] == self.answers.local_day
        has_run_before = has_run_that_day & (first_s[index] <= self.answers.answered_s)
        return np.asarray(self.answers.is_checkin & ~has_run_before)

    @cached_property
    def is_followed(self) -> Flags:
        """Runs that another one followed on the same local day, shape (n,)."""
        days = self.runs.local_day
        order = np.lexsort((self.runs.started_s, days))
        followed = np.zeros(len(days), dtype=np.bool_)
        followed[order[:-1]] = days[order[1:]] == days[order[:-1]]
        return followed

    @cached_property
    def is_about_race(self) -> Flags:
        """Answers about a race, shape (m,): as told, or else as recorded."""
        recorded = self.map_to_answers(self.runs.is_race, missing=0)
        told = self.answers.race
        if not len(told):
            return recorded > 0
        return np.asarray(np.where(np.isnan(told), recorded, told) > 0)

    @cached_property
    def said_before(self) -> Floats:
        """Mood given on the way out to each answer's run, shape (m,); nan without it.

        It belongs to the first run with a known start within three hours.  Of several
        before one run the last counts; of a session, the one before its first run.
        """
        runs, pre_run = self.runs, self.pre_run
        timed = np.flatnonzero(~np.isnan(runs.ended_s))
        started_s = np.append(runs.started_s[timed], np.inf)
        index = np.searchsorted(started_s, pre_run.answered_s)
        is_paired = (
            started_s[index] - pre_run.answered_s <= PRE_RUN_WINDOW.total_seconds()
        )
        by_run = dict(
            zip(
                timed[index[is_paired]].tolist(),
                pre_run.mood[is_paired].tolist(),
                strict=True,
            )
        )
        by_session = np.full(len(runs.id), np.nan)
        for row in sorted(by_run, reverse=True):
            by_session[self.sessions.starts[row]] = by_run[row]
        return self.map_to_answers(by_session[self.sessions.starts])

    @cached_property
    def answer_days(self) -> Floats:
        """When each answer came, shape (m,): a local day, and the time as its fraction.

        Day 0 is a Monday, as `link` has it.
        """
        answers = self.answers
        return count_from_monday(answers.local_day) + answers.local_hour / HOURS_PER_DAY


def select_known_runs(run_ids: Ints | Floats) -> Ints:
    """Return the ids, shape (k,), without NO_RUN."""
    return np.asarray(run_ids[run_ids != NO_RUN], dtype=np.int64)
