"""A record that no table takes is quarantined; the others are stored as usual."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select
from typing_extensions import override

from sync.inbox import handle
from sync.models import Backfill, Event, QuarantinedRecord, Run
from sync.runs import backfill, quarantine, reconcile
from sync.runtime import Runtime
from sync.strava import Activity, ActivityPage, Lane, RemoteRun
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Harness

# One database takes no NUL, the other no half of a surrogate pair.
UNSTORABLE_TEXT = "watch \x00 \ud83d"


class UnstorableStrava(HttpStrava):
    """Strava names a device of one run so that no database takes it."""

    unstorable_id = 0

    @override
    def run(self, access_token: str, run_id: int, *, lane: Lane) -> Activity:
        activity = super().run(access_token, run_id, lane=lane)
        return self._spoil(activity) if isinstance(activity, RemoteRun) else activity

    @override
    def page(
        self,
        access_token: str,
        *,
        lane: Lane,
        page: int = 1,
        before: datetime | None = None,
        after: datetime | None = None,
    ) -> ActivityPage:
        listed = super().page(
            access_token, lane=lane, page=page, before=before, after=after
        )
        return replace(listed, runs=tuple(map(self._spoil, listed.runs)))

    def _spoil(self, run: RemoteRun) -> RemoteRun:
        if run.id == self.unstorable_id:
            return replace(run, device=UNSTORABLE_TEXT)
        return run


@pytest.fixture
def strava(harness: Harness) -> UnstorableStrava:
    return UnstorableStrava(
        harness.runtime.settings, budget=Budget("", clock=harness.clock)
    )


@pytest.fixture
def spoiled(harness: Harness, strava: UnstorableStrava) -> Runtime:
    return replace(harness.runtime, strava=strava)


def add_runs(harness: Harness, strava: UnstorableStrava) -> list[int]:
    """Let an athlete have run three times, the second time with that device."""
    athlete = harness.add_athlete()
    runs = [harness.finish_run(athlete, ended_minutes_ago=m) for m in (900, 600, 300)]
    strava.unstorable_id = runs[1].id
    return [run.id for run in runs]


def list_stored(harness: Harness) -> list[int]:
    with harness.runtime.db.read_only() as session:
        return list(session.scalars(select(Run.source_id).order_by(Run.started_at)))


def list_quarantined(harness: Harness) -> list[int]:
    with harness.runtime.db.read_only() as session:
        return list(session.scalars(select(QuarantinedRecord.source_id)))


def test_an_import_goes_on_without_the_record(
    harness: Harness, strava: UnstorableStrava, spoiled: Runtime
) -> None:
    first, second, third = add_runs(harness, strava)
    harness.link_runner(harness.add_athlete())

    backfill.process_due(spoiled)

    assert list_stored(harness) == [first, third]
    assert list_quarantined(harness) == [second]
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Backfill.finished_at)).one() is not None


@pytest.mark.parametrize("count", [1, 3])
def test_events_are_settled_without_the_record(
    harness: Harness, strava: UnstorableStrava, spoiled: Runtime, count: int
) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    first, second, third = add_runs(harness, strava)
    for run_id in [second, first, third][:count]:
        harness.deliver_event(athlete, run_id, "create")

    handle.process_due(spoiled)

    assert list_stored(harness) == ([first, third] if count > 1 else [])
    assert list_quarantined(harness) == [second]
    with harness.runtime.db.read_only() as session:
        assert set(session.scalars(select(Event.due_at))) == {None}


def test_a_comparison_goes_on_without_the_record(
    harness: Harness, strava: UnstorableStrava, spoiled: Runtime
) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    first, second, third = add_runs(harness, strava)
    harness.advance_clock(days=1)

    reconcile.process_due(spoiled)

    assert list_stored(harness) == [first, third]
    assert list_quarantined(harness) == [second]


def test_the_record_stays_quarantined_until_it_can_be_stored(
    harness: Harness, strava: UnstorableStrava, spoiled: Runtime
) -> None:
    runs = add_runs(harness, strava)
    harness.link_runner(harness.add_athlete())
    backfill.process_due(spoiled)
    harness.advance_clock(minutes=1)

    still_bad = quarantine.retry_quarantined(spoiled)
    harness.advance_clock(minutes=1)
    mended = quarantine.retry_quarantined(harness.runtime)

    assert (still_bad.tried, still_bad.unreadable) == (1, 1)
    assert (mended.tried, mended.unreadable) == (1, 0)
    assert list_stored(harness) == runs
    assert list_quarantined(harness) == []
