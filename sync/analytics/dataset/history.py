"""One runner's runs and answers as columns, and what follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from sync.analytics.dataset.loads import WEEK_DAYS
from sync.analytics.dataset.weeks import MONDAY
from sync.analytics.stats.series import Flags, Floats, Ints
from sync.run_timing import SESSION_GAP

AFTER_RUN_HOURS = 6
SESSION_GAP_S = SESSION_GAP.total_seconds()
SECONDS_PER_DAY = 86_400
SECONDS_PER_HOUR = 3600
STREET, TRAIL, INDOORS = 0, 1, 2
ALONE, WITH_OTHERS = 0, 1
NO_RUN = -1
NO_RUNS: Ints = np.zeros(0, dtype=np.int64)


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


@dataclass(frozen=True, slots=True)
class AnswerArrays:
    """Answers, oldest first; every column has shape (m,).

    `run` is the row in Runs, -1 for a check-in and for an answer whose run is
    gone. Optional answers are nan where they were not given; `focus` has a
    column for each focus question that was ever answered, by its key. `earlier`
    lists (answer, run): runs of the day that a later run's answer is about too.
    """

    run: Ints
    is_checkin: Flags
    answered_s: Floats
    local_day: Ints
    mood: Floats
    stress: Floats
    before: Floats
    company: Floats
    place: Floats
    focus: Mapping[str, Floats] = field(default_factory=dict)
    earlier_runs: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True)
class History:
    """Everything the figures of one runner are computed from.

    `today` is a day number, `first_weekday` Python's: Monday 0 … Sunday 6.
    """

    runs: RunArrays
    answers: AnswerArrays
    asked_count: int
    today: int
    first_weekday: int = MONDAY

    @cached_property
    def session_m(self) -> Floats:
        """Distance up to each run's end in its session, shape (n,)."""
        return self._session_totals(self.runs.distance_m)

    @cached_property
    def about_m(self) -> Floats:
        """Distance that each answer is about, shape (m,); nan without a run.

        A question that moved behind the day's second run asks about both, hours
        apart as they may be: what was run for one answer is one distance.
        """
        return self._answer_totals(self.session_m)

    @cached_property
    def about_s(self) -> Floats:
        """Seconds in motion that each answer is about, shape (m,), likewise."""
        return self._answer_totals(self._session_totals(self.runs.moving_s))

    @cached_property
    def _session_starts(self) -> Ints:
        """First row of each run's session, shape (n,).

        A second run within three hours of the last belongs to it: the answer
        after it is an answer to both.
        """
        runs = self.runs
        gap_s = runs.started_s[1:] - runs.ended_s[:-1]
        starts = np.concatenate(([True], ~(gap_s < SESSION_GAP_S)))[: len(runs.id)]
        return np.asarray(np.flatnonzero(starts)[np.cumsum(starts) - 1])

    def _session_totals(self, amounts: Floats) -> Floats:
        """Sum of `amounts` in its session up to and including each run, (n,)."""
        cumulative = np.concatenate(([0.0], np.cumsum(amounts)))
        return np.asarray(cumulative[1:] - cumulative[self._session_starts])

    def _answer_totals(self, session_totals: Floats) -> Floats:
        """Add to each answer's own session the last run of each earlier one."""
        totals = np.append(session_totals, np.nan)[self.answers.run]
        for answer, run in self._earlier_sessions:
            totals[answer] += session_totals[run]
        return totals

    @cached_property
    def _earlier_sessions(self) -> Sequence[tuple[int, int]]:
        """The rows of (answer, last run) for each session before the answer's own."""
        last_runs: dict[tuple[int, int], int] = {}
        for answer, run in self.answers.earlier_runs:
            own_run, session = self.answers.run[answer], int(self._session_starts[run])
            if own_run >= 0 and session != self._session_starts[own_run]:
                last_runs[answer, session] = max(
                    run, last_runs.get((answer, session), run)
                )
        return [(answer, run) for (answer, _), run in last_runs.items()]

    @cached_property
    def load_m(self) -> Floats:
        """Distance of the seven local days up to and including each run, (n,)."""
        runs = self.runs
        order = np.lexsort((runs.started_s, runs.local_day))
        day = runs.local_day[order]
        cumulative = np.concatenate(([0.0], np.cumsum(runs.distance_m[order])))
        oldest = np.searchsorted(day, day - WEEK_DAYS, side="right")
        load = np.empty_like(runs.distance_m)
        load[order] = cumulative[1:] - cumulative[oldest]
        return load

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
    def answer_days(self) -> Floats:
        """When each answer came, in days with fractions, shape (m,)."""
        return np.asarray(self.answers.answered_s / SECONDS_PER_DAY)
