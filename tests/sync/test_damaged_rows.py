"""A row that nobody foresaw costs itself alone, whatever kind of work it is due for.

Each kind of due work is tried with every column of every table about runners: for each
column there is one runner in whose rows it holds what no code of ours has written,
between two sound runners.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
import structlog
from sqlalchemy.exc import DBAPIError

from sync import work, work_status
from sync.queue import Job
from sync.runtime import Runtime
from sync.simulator.records import App, Limits
from sync.work import DueWork
from tests.support.damaged_columns import COLUMNS, DAMAGE, DamagedColumn
from tests.support.harness import Harness
from tests.sync.test_work import PREPARE, every_job, find_kind, worker
from workers.jobs import PROCESSORS

__all__ = ["worker"]

log = structlog.get_logger()

# Longer than all attempts of any kind take; then comes what is tried once a day.
WAITS_H = (*[1] * 14, 24, 24)
MAX_DAYS = 2

LIMITS = ("quarter", "day", "read_quarter", "read_day")

Damages: TypeAlias = Sequence[DamagedColumn]


def group_columns(key: Callable[[DamagedColumn], str]) -> Mapping[str, Damages]:
    groups: dict[str, list[DamagedColumn]] = {}
    for damaged in COLUMNS:
        groups.setdefault(key(damaged), []).append(damaged)
    return groups


# The long form, which takes every column by itself, is asked for by hand.
COLUMN_BY_COLUMN = [
    pytest.param(group_columns(lambda damaged: damaged.name), id="by-column")
] * ("FUZZ_EXAMPLES" in os.environ)
# A hundred runners take their time: each column by itself is for the long form.
COLUMNS_BY_TYPE = group_columns(
    lambda damaged: f"{damaged.table.name}: {type(damaged.column.type).__name__}"
)


@dataclass
class Record:
    """What became of each runner's items, by the runner's number."""

    done: Counter[int] = field(default_factory=Counter)
    failed: Counter[int] = field(default_factory=Counter)


@pytest.fixture
def record(job: Job, monkeypatch: pytest.MonkeyPatch) -> Record:
    kind = find_kind(job)
    handle, postpone = kind.handle, kind.postpone
    record = Record()

    def handle_and_note(self: DueWork[Any], runtime: Runtime, item: Any) -> None:
        handle(self, runtime, item)
        record.done[item.runner_id] += 1

    def postpone_and_note(
        self: DueWork[Any], session: Any, item: Any, failure: Any
    ) -> Any:
        record.failed[item.runner_id] += 1
        return postpone(self, session, item, failure)

    monkeypatch.setattr(kind, "handle", handle_and_note)
    monkeypatch.setattr(kind, "postpone", postpone_and_note)
    monkeypatch.setattr(work, "SHIFT_S", 600)
    return record


def test_every_type_of_column_is_damaged() -> None:
    undamaged = [
        damaged.name
        for damaged in COLUMNS
        if not isinstance(damaged.column.type, tuple(DAMAGE))
    ]

    assert undamaged == []
    assert len(COLUMNS) > 100
    assert len(COLUMNS_BY_TYPE) > 30


@every_job
@pytest.mark.parametrize(
    "groups",
    [pytest.param(COLUMNS_BY_TYPE, id="by-type"), *COLUMN_BY_COLUMN],
)
def test_a_damaged_row_keeps_no_other_waiting_and_is_given_up(
    harness: Harness,
    worker: Runtime,
    job: Job,
    record: Record,
    groups: Mapping[str, Damages],
) -> None:
    with harness.world.transaction():
        harness.world.put_singleton(App(athlete_limit=1000))
        harness.world.put_singleton(Limits(**dict.fromkeys(LIMITS, 100_000)))
    sound_ids = {1, len(groups) + 2}
    PREPARE[job](harness, len(groups) + 2)
    for runner_id, columns in enumerate(groups.values(), start=2):
        for damaged in columns:
            with suppress(DBAPIError):  # the database itself refuses it
                damaged.damage(worker, runner_id)

    PROCESSORS[job](worker)

    assert sound_ids <= {*record.done}
    assert not sound_ids & {*record.failed}
    for hours in WAITS_H:
        harness.advance_clock(hours=hours)
        PROCESSORS[job](worker)
    failures = {
        name: record.failed[runner_id]
        for runner_id, name in enumerate(groups, start=2)
        if record.failed[runner_id]
    }
    limit = find_kind(job).max_attempts
    log.info("failures", job=job, **failures)
    assert {name: n for name, n in failures.items() if n > limit + MAX_DAYS} == {}
    if [name for name, n in failures.items() if n >= limit]:
        status = work_status.read_status(worker)
        assert status.counters[f"{job} given up"] > 0
