"""One runner's runs for pages: columns, and a row for each run that is shown."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import compress
from typing import NamedTuple, overload

from typing_extensions import override

from sync.analytics.dataset.load import (
    BY_ELAPSED,
    MANUAL,
    RACE,
    START_KNOWN,
    TREADMILL,
    WITH_OTHERS,
    RunColumns,
    RunnerRows,
)
from sync.answer_window import ANSWER_WINDOW

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - on the runner's own clock
_EPOCH_DAY = _EPOCH.toordinal()
_DAY_S = 24 * 3600
_NO_ANSWER: Mapping[str, int] = {}


class DerivedColumns(NamedTuple):
    """Values of each run that follow from the other runs and from its answer.

    `week_m` is the distance of the 7 days up to and including it, `about_m` that of
    all the runs that its answer is about; `answer_values` is empty without one.
    `is_asked_later` tells whether its question is still to come at a drawn time.
    """

    week_m: Sequence[float]
    about_m: Sequence[float]
    answer_values: Sequence[Mapping[str, int]]
    mood: Sequence[int | None]
    answered_minutes_after: Sequence[int | None]
    can_answer: Sequence[bool]
    is_asked_later: Sequence[bool]


class RunRow(NamedTuple):
    """One run that counts: one value of each column."""

    id: int
    started_s: float
    offset_s: int
    day_number: int
    distance_m: float
    moving_s: int
    elapsed_s: int
    flags: int
    week_m: float
    about_m: float
    answer_values: Mapping[str, int]
    mood: int | None
    answered_minutes_after: int | None
    can_answer: bool
    is_asked_later: bool

    @property
    def local_day(self) -> date:
        return date.fromordinal(self.day_number)

    @property
    def started_local(self) -> datetime | None:
        """Return the start on the local clock; None if the time of day is hidden."""
        if not self.flags & START_KNOWN:
            return None
        return _EPOCH + timedelta(seconds=self.started_s + self.offset_s)

    @property
    def is_timed_by_elapsed(self) -> bool:
        """Whether `moving_s` is not what was reported, but the time that counts."""
        return bool(self.flags & BY_ELAPSED)

    @property
    def treadmill(self) -> bool:
        return bool(self.flags & TREADMILL)

    @property
    def manual(self) -> bool:
        return bool(self.flags & MANUAL)

    @property
    def race(self) -> bool:
        return bool(self.flags & RACE)

    @property
    def with_others(self) -> bool:
        return bool(self.flags & WITH_OTHERS)


@dataclass(frozen=True, slots=True)
class RunTable(Sequence[RunRow]):
    """Runs, oldest first, column by column.

    Ten thousand objects cost more than all that a page shows of them, so a row is
    built only on request.
    """

    stored: RunColumns
    derived: DerivedColumns

    @override
    def __len__(self) -> int:
        return len(self.stored.id)

    @overload
    def __getitem__(self, index: int) -> RunRow: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RunRow]: ...
    @override
    def __getitem__(self, index: int | slice) -> RunRow | Sequence[RunRow]:
        if isinstance(index, slice):
            return [self[row_index] for row_index in range(len(self))[index]]
        return RunRow._make(column[index] for column in (*self.stored, *self.derived))

    @override
    def __iter__(self) -> Iterator[RunRow]:
        columns = (*self.stored, *self.derived)
        return map(RunRow._make, zip(*columns, strict=True))

    def select(self, mask: Sequence[bool]) -> "RunTable":
        """Return the runs for which `mask` is true."""
        return RunTable(
            RunColumns._make(list(compress(column, mask)) for column in self.stored),
            DerivedColumns._make(
                list(compress(column, mask)) for column in self.derived
            ),
        )

    def since(self, first_day: date) -> "RunTable":
        """Return the runs of that day and later ones."""
        first_day_number = first_day.toordinal()
        # No clock is a whole day from UTC: what began earlier was not on that day.
        index = bisect_left(
            self.stored.started_s, (first_day_number - _EPOCH_DAY - 1) * _DAY_S
        )
        recent_runs = RunTable(
            RunColumns._make(column[index:] for column in self.stored),
            DerivedColumns._make(column[index:] for column in self.derived),
        )
        return recent_runs.select(
            [column >= first_day_number for column in recent_runs.stored.local_day]
        )


def build_run_table(rows: RunnerRows, *, now: datetime) -> RunTable:
    # Imported here: numpy costs 11 MB and 65 ms, and a process that serves landing
    # pages, surveys and events never needs it.
    from sync.analytics.dataset.build_history import sum_run_distances  # noqa: PLC0415

    distances = sum_run_distances(rows)
    run_ids = rows.answers.run_id
    values_by_run = dict(zip(run_ids, rows.answer_values, strict=True))
    minutes_by_run = dict(zip(run_ids, rows.answers.minutes_since_end, strict=True))
    answers = [values_by_run.get(run_id, _NO_ANSWER) for run_id in rows.runs.id]
    earliest_end_s = (now - ANSWER_WINDOW).timestamp()
    times = zip(rows.runs.started_s, rows.runs.elapsed_s, strict=True)
    later_ids = {
        run_id
        for run_id, asks_s in zip(rows.delays.run_id, rows.delays.asks_s, strict=True)
        if asks_s > now.timestamp()
    }
    derived = DerivedColumns(
        week_m=distances.week_m,
        about_m=distances.about_m,
        answer_values=answers,
        mood=[answer.get("mood") for answer in answers],
        answered_minutes_after=list(map(minutes_by_run.get, rows.runs.id)),
        can_answer=[
            started_s + elapsed_s >= earliest_end_s for started_s, elapsed_s in times
        ],
        is_asked_later=[run_id in later_ids for run_id in rows.runs.id],
    )
    return RunTable(rows.runs, derived)
