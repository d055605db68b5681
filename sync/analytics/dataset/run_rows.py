"""One runner's runs as their pages draw them: columns, and rows where one is shown."""

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import compress
from math import nan
from typing import NamedTuple, overload

from typing_extensions import override

from sync.analytics.dataset.distances import Goings, about, week_loads
from sync.analytics.dataset.load import (
    EARLIER_RUNS,
    MANUAL,
    RACE,
    START_KNOWN,
    TREADMILL,
    WITH_OTHERS,
    Rows,
    RunColumns,
)

ANSWERABLE_FOR = timedelta(hours=24)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - on the runner's own clock
_EPOCH_DAY = _EPOCH.toordinal()
_DAY_S = 24 * 3600
_NOTHING: Mapping[str, int] = {}


class Derived(NamedTuple):
    """What follows for each run from the others and from its answer.

    `week_m` is the distance of the 7 days up to and including it, `about_m` that
    of all the runs that its answer is about; `said` holds the answer's values
    and is empty without one.
    """

    week_m: Sequence[float]
    about_m: Sequence[float]
    said: Sequence[Mapping[str, int]]
    mood: Sequence[int | None]
    answered_minutes_after: Sequence[int | None]
    can_answer: Sequence[bool]


class RunRow(NamedTuple):
    """One run that counts: a value of each column."""

    id: int
    started_s: float
    offset_s: int
    day_number: int
    distance_m: float
    moving_s: int
    elapsed_s: int
    facts: int
    week_m: float
    about_m: float
    said: Mapping[str, int]
    mood: int | None
    answered_minutes_after: int | None
    can_answer: bool

    @property
    def local_day(self) -> date:
        return date.fromordinal(self.day_number)

    @property
    def started_local(self) -> datetime | None:
        """Return when it began on the clock where it was; None if that is hidden."""
        if not self.facts & START_KNOWN:
            return None
        return _EPOCH + timedelta(seconds=self.started_s + self.offset_s)

    @property
    def treadmill(self) -> bool:
        return bool(self.facts & TREADMILL)

    @property
    def manual(self) -> bool:
        return bool(self.facts & MANUAL)

    @property
    def race(self) -> bool:
        return bool(self.facts & RACE)

    @property
    def with_others(self) -> bool:
        return bool(self.facts & WITH_OTHERS)


@dataclass(frozen=True, slots=True)
class RunTable(Sequence[RunRow]):
    """Runs, oldest first, for whoever counts or draws them: column by column.

    Ten thousand objects cost more to make than all that a page shows of them, so a
    row is made only when somebody asks for that one.
    """

    stored: RunColumns
    derived: Derived

    @override
    def __len__(self) -> int:
        return len(self.stored.id)

    @overload
    def __getitem__(self, place: int) -> RunRow: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[RunRow]: ...
    @override
    def __getitem__(self, place: int | slice) -> RunRow | Sequence[RunRow]:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        return RunRow._make(column[place] for column in (*self.stored, *self.derived))

    @override
    def __iter__(self) -> Iterator[RunRow]:
        columns = (*self.stored, *self.derived)
        return map(RunRow._make, zip(*columns, strict=True))

    def only(self, which: Sequence[bool]) -> "RunTable":
        """Return those runs for which `which` is true."""
        return RunTable(
            RunColumns._make(list(compress(one, which)) for one in self.stored),
            Derived._make(list(compress(one, which)) for one in self.derived),
        )

    def since(self, day: date) -> "RunTable":
        """Return the runs of that day and later ones."""
        first = day.toordinal()
        # No clock is a whole day from UTC: what began earlier was not on that day.
        place = bisect_left(self.stored.started_s, (first - _EPOCH_DAY - 1) * _DAY_S)
        lately = RunTable(
            RunColumns._make(one[place:] for one in self.stored),
            Derived._make(one[place:] for one in self.derived),
        )
        return lately.only([one >= first for one in lately.stored.local_day])


def run_table(rows: Rows, *, now: datetime) -> RunTable:
    week_m, about_m = _sums(rows)
    run_ids = rows.answers.run_id
    said = dict(zip(run_ids, rows.said, strict=True))
    minutes = dict(zip(run_ids, rows.answers.minutes_since_end, strict=True))
    answers = [said.get(run_id, _NOTHING) for run_id in rows.runs.id]
    derived = Derived(
        week_m=week_m,
        about_m=about_m,
        said=answers,
        mood=[answer.get("mood") for answer in answers],
        answered_minutes_after=list(map(minutes.get, rows.runs.id)),
        can_answer=_can_answer(rows.runs, now),
    )
    return RunTable(rows.runs, derived)


def _can_answer(runs: RunColumns, now: datetime) -> list[bool]:
    since_s = (now - ANSWERABLE_FOR).timestamp()
    times = zip(runs.started_s, runs.elapsed_s, strict=True)
    return [started_s + elapsed_s >= since_s for started_s, elapsed_s in times]


def _sums(rows: Rows) -> tuple[list[float], list[float]]:
    """Return week_m and about_m of each run."""
    runs = rows.runs
    times = zip(runs.started_s, runs.elapsed_s, runs.facts, strict=True)
    ends = [
        begun + took if facts & START_KNOWN else nan for begun, took, facts in times
    ]
    going = Goings(runs.id, runs.started_s, ends, runs.distance_m)
    earlier = {
        run_id: json.loads(tags)[EARLIER_RUNS]
        for run_id, tags in zip(rows.answers.run_id, rows.answers.tags, strict=True)
        if run_id is not None and tags is not None and EARLIER_RUNS in tags
    }
    return week_loads(runs.local_day, runs.distance_m), about(going, earlier)
