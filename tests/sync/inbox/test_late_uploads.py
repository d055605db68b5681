"""Old runs that are uploaded in bulk cost list reads, and nobody waits for them."""

import pytest
from sqlalchemy import select

from sync.inbox import handle
from sync.inbox.rules import MAX_WAITING, EventPlan, order_single_reads
from sync.models import ReconcileState, Run
from sync.runs import reconcile
from sync.simulator import activities
from sync.simulator.records import Activity, Athlete
from tests.lab.bench.late_uploads import (
    count_waiting,
    link_with_past,
    measure,
    upload_old_runs,
)
from tests.support.harness import Harness

BOTH_DATABASES = pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
    indirect=True,
)


@BOTH_DATABASES
@pytest.mark.parametrize(
    ("old_count", "order", "max_reads"),
    [
        (10, "forward", 3),
        (10, "backward", 5),
        (60, "shuffled", 14),
        # Two batches of events, the comparison of 710 runs in pages, and its end.
        (500, "forward", 3 + 5),
    ],
)
def test_old_runs_cost_about_a_list_read_a_page(
    harness: Harness, old_count: int, order: str, max_reads: int
) -> None:
    reads, minutes = measure(harness, old_count, order, per_minute=old_count)

    assert reads <= max_reads
    assert minutes <= 30


def test_old_runs_among_many_others_cost_no_more_than_a_read_each(
    harness: Harness,
) -> None:
    athlete = harness.add_athlete()
    link_with_past(harness, athlete, strewn=600)
    uploads = upload_old_runs(harness, athlete, 6, "strewn")
    before = harness.count_strava_reads()

    for run in uploads:
        harness.deliver_event(athlete, run.id, "create")
    handle.process_due(harness.runtime)

    assert list_stored(harness) >= {run.id for run in uploads}
    assert harness.count_strava_reads() - before <= 1 + len(uploads) + 2


@BOTH_DATABASES
def test_what_else_happens_meanwhile_is_not_lost(harness: Harness) -> None:
    athlete = harness.add_athlete()
    link_with_past(harness, athlete)
    uploads = upload_old_runs(harness, athlete, 40, "shuffled")
    gone, hidden, retyped = uploads[:5], uploads[5:10], uploads[10:15]
    events: list[tuple[Activity, str, dict[str, str]]] = [
        (run, "create", {}) for run in uploads
    ]
    with harness.world.transaction():
        for run in gone:
            activities.delete_activity(harness.world, run)
            events.append((run, "delete", {}))
        for run in hidden:
            edit = activities.ActivityEdit(visibility="only_me")
            activities.edit_activity(harness.world, run, edit)
            events.append((run, "update", {"private": "true"}))
        for run in retyped:
            edit = activities.ActivityEdit(sport_type="Walk")
            activities.edit_activity(harness.world, run, edit)
            events.append((run, "update", {"type": "Walk"}))

    for run, aspect, updates in events[1::2] + events[::2]:
        harness.deliver_event(athlete, run.id, aspect, **updates)
    settle_all(harness)

    stored = list_stored(harness)
    assert {run.id for run in uploads[15:]} <= stored
    assert not {run.id for run in (*gone, *hidden, *retyped)} & stored
    assert count_waiting(harness) == 0


def test_another_runner_s_run_does_not_wait_for_them(harness: Harness) -> None:
    uploader, other = harness.add_athlete(), harness.add_athlete(8)
    link_with_past(harness, uploader)
    harness.link_runner(other)
    harness.process_all_due()
    harness.advance_clock(hours=3)
    uploads = upload_old_runs(harness, uploader, 300, "forward")
    for run in uploads:
        harness.deliver_event(uploader, run.id, "create")
    fresh = harness.finish_run(other)
    harness.deliver_event(other, fresh.id, "create")
    before = harness.count_strava_reads()

    handle.process_due(harness.runtime)

    assert fresh.id in list_stored(harness)
    assert harness.count_strava_reads() - before <= 4


def test_the_whole_list_is_compared_only_for_what_strava_bears_out(
    harness: Harness,
) -> None:
    athlete = harness.add_athlete()
    link_with_past(harness, athlete)
    compared_at = get_reconcile_state(harness).compared_at

    for number in range(MAX_WAITING):
        harness.deliver_event(athlete, 20_000_000_000 + number, "create")
    handle.process_due(harness.runtime)

    assert get_reconcile_state(harness).compared_at == compared_at


def test_a_comparison_under_way_begins_anew_for_what_it_has_passed(
    harness: Harness,
) -> None:
    athlete = harness.add_athlete()
    link_with_past(harness, athlete)
    first = upload_old_runs(harness, athlete, MAX_WAITING + 10, "forward")
    deliver_all(harness, athlete, [run.id for run in first])
    handle.process_due(harness.runtime)
    with harness.runtime.db.transaction() as session:
        state = session.scalars(select(ReconcileState)).one()
        state.before, state.next_page = harness.clock(), 4
    second = upload_old_runs(harness, athlete, MAX_WAITING + 10, "backward")
    deliver_all(harness, athlete, [run.id for run in second])

    settle_all(harness)

    assert list_stored(harness) >= {run.id for run in (*first, *second)}


def test_reads_begin_at_both_ends_of_the_ids() -> None:
    plan = EventPlan(reported_gone={2})

    assert order_single_reads(plan, [5, 1, 2, 9, 4]) == [9, 1, 5, 4, 2]
    assert order_single_reads(plan, [1, 3, 4]) == [4, 1, 3]
    assert order_single_reads(plan, []) == []


def deliver_all(harness: Harness, athlete: Athlete, run_ids: list[int]) -> None:
    for run_id in run_ids:
        harness.deliver_event(athlete, run_id, "create")


def settle_all(harness: Harness) -> None:
    for _ in range(12):
        handle.process_due(harness.runtime)
        reconcile.process_due(harness.runtime)
        harness.advance_clock(minutes=5)


def list_stored(harness: Harness) -> set[int]:
    with harness.runtime.db.read_only() as session:
        return set(
            session.scalars(select(Run.source_id).where(Run.hidden_at.is_(None)))
        )


def get_reconcile_state(harness: Harness) -> ReconcileState:
    with harness.runtime.db.read_only() as session:
        return session.scalars(select(ReconcileState)).one()
