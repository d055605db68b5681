"""Deleting everything: ten minutes to undo it, then nothing is left anywhere."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from sync.errors import DeletionPending
from sync.inbox import handle
from sync.mail import deliver, outbox
from sync.models import (
    Backfill,
    Counter,
    Export,
    Mail,
    MailLink,
    Model,
    ReconcileState,
    Run,
    Runner,
)
from sync.queue import Job
from sync.runners import deletion, disconnect, sign_in
from sync.runs import backfill, reconcile
from sync.surveys.answering import answer
from sync.surveys.sending import checkins, decide_runs
from sync.vocabulary import MailKind, RemovalKind
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_mail, read_pending_token
from tests.sync.inbox.test_handle import get_athlete, list_runs
from tests.sync.runners.test_disconnect import count_rows, get_runner

DAY_MIN = 24 * 60


@pytest.fixture
def linked_harness(harness: Harness) -> Harness:
    """Return a stage with a runner who has runs, an answer, mails and a sign-in."""
    athlete = harness.add_athlete()
    for days_ago in range(3, 6):
        harness.finish_run(athlete, ended_minutes_ago=days_ago * DAY_MIN)
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(minutes=1)
    run = harness.finish_run(athlete, ended_minutes_ago=30)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    answer.record_answer(
        harness.runtime, token=read_pending_token(harness.runtime), values={"mood": 1}
    )
    sign_in.sign_in(harness.runtime, runner_id)
    with harness.runtime.db.transaction() as session:
        session.add(
            Export(runner_id=runner_id, asked_at=harness.clock(), sealed=b"zip")
        )
    return harness


def dump_rows(harness: Harness, *, but: set[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, but for those tables."""
    with harness.runtime.db.read_only() as session:
        return {
            table.name: sorted(map(tuple, session.execute(select(table))), key=repr)
            for table in Model.metadata.sorted_tables
            if table.name not in but
        }


def process_all_queues(harness: Harness) -> None:
    """Let every worker look for what is due."""
    harness.process_all_due()
    for drain in (
        backfill.process_due,
        reconcile.process_due,
        decide_runs.process_due,
        checkins.process_due,
        handle.process_due,
    ):
        drain(harness.runtime)
    disconnect.process_removals(harness.runtime)


def test_an_undone_deletion_leaves_everything_as_it_was(
    linked_harness: Harness,
) -> None:
    before = dump_rows(linked_harness, but={"tally", "sweep"})
    deletion.request_deletion(linked_harness.runtime, get_runner(linked_harness))
    linked_harness.advance_clock(minutes=9)

    undone = deletion.cancel_deletion(
        linked_harness.runtime, get_runner(linked_harness)
    )

    assert undone
    assert dump_rows(linked_harness, but={"tally", "sweep"}) == before
    assert set(Job) <= set(linked_harness.queue.wakes)
    with linked_harness.runtime.db.read_only() as session:
        assert (
            session.scalars(select(ReconcileState.due_at)).one()
            == linked_harness.clock()
        )


def test_while_it_can_be_undone_nothing_is_fetched_asked_or_mailed(
    linked_harness: Harness,
) -> None:
    runner_id = get_runner(linked_harness)
    with linked_harness.runtime.db.transaction() as session:
        session.execute(update(ReconcileState).values(due_at=linked_harness.clock()))
        session.execute(update(Backfill).values(due_at=linked_harness.clock()))
    before, reads = (
        dump_rows(linked_harness, but={"event", "mail_link"}),
        linked_harness.count_strava_reads(),
    )
    deletion.request_deletion(linked_harness.runtime, runner_id)
    run = linked_harness.finish_run(get_athlete(linked_harness), ended_minutes_ago=20)
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")

    linked_harness.advance_clock(minutes=9)
    process_all_queues(linked_harness)

    after = dump_rows(linked_harness, but={"event", "mail_link"})
    assert linked_harness.count_strava_reads() == reads
    assert {name for name in after if after[name] != before[name]} == {
        "runner",  # when it goes
        "mail",  # the way back
    }
    newest, values = list_runs(linked_harness)[-1].id, {"mood": 1}
    with pytest.raises(DeletionPending):
        answer.record_run_answer(
            linked_harness.runtime, runner_id=runner_id, run_id=newest, values=values
        )


def test_what_waited_is_done_after_an_undo(linked_harness: Harness) -> None:
    runner_id = get_runner(linked_harness)
    deletion.request_deletion(linked_harness.runtime, runner_id)
    run = linked_harness.finish_run(get_athlete(linked_harness), ended_minutes_ago=20)
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    linked_harness.process_all_due()
    early = count_rows(linked_harness, Run)

    deletion.cancel_deletion(linked_harness.runtime, runner_id)
    linked_harness.process_all_due()

    assert (early, count_rows(linked_harness, Run)) == (4, 5)


def test_mails_wait_for_the_undo_and_only_the_way_back_leaves(
    linked_harness: Harness,
) -> None:
    runner_id = get_runner(linked_harness)
    with linked_harness.runtime.db.transaction() as session:
        outbox.enqueue_mail(
            session,
            sealer=linked_harness.runtime.sealer,
            now=linked_harness.clock(),
            dedupe_key="waiting",
            kind=MailKind.RECONNECT,
            runner_id=runner_id,
            values={},
            stale_at=linked_harness.clock() + timedelta(days=1),
        )
    erase_at = deletion.request_deletion(linked_harness.runtime, runner_id)
    linked_harness.advance_clock(minutes=1)

    deliver.deliver_due(linked_harness.runtime)
    meanwhile = _due(linked_harness)
    deletion.cancel_deletion(linked_harness.runtime, runner_id)

    assert meanwhile["reconnect"] == erase_at
    assert meanwhile["undo"] < erase_at
    assert _due(linked_harness) == {"reconnect": linked_harness.clock()}


def _due(harness: Harness) -> dict[str, Any]:
    with harness.runtime.db.read_only() as session:
        due = select(Mail.kind, Mail.due_at).where(Mail.due_at.is_not(None))
        return {row.kind: row.due_at for row in session.execute(due)}


def test_after_ten_minutes_nothing_of_the_runner_is_left(
    linked_harness: Harness,
) -> None:
    runner_id, athlete_id = get_runner(linked_harness), get_athlete(linked_harness).id
    deletion.request_deletion(linked_harness.runtime, runner_id)
    linked_harness.advance_clock(minutes=9, seconds=59)
    disconnect.process_removals(linked_harness.runtime)
    early = (
        count_rows(linked_harness, Runner),
        linked_harness.world.grants.get(athlete_id) is not None,
    )

    linked_harness.advance_clock(seconds=1)
    disconnect.process_removals(linked_harness.runtime)

    left = dump_rows(linked_harness, but={"tally", "link_attempt", "alembic_version"})
    receipt = left.pop("mail")
    assert early == (1, True)
    assert {name for name, found in left.items() if found} == set()
    assert linked_harness.world.grants.get(athlete_id) is None
    assert len(receipt) == 1
    assert "deleted" in receipt[0]
    assert runner_id not in receipt[0][2:4]
    with linked_harness.runtime.db.read_only() as session:
        counted = session.execute(select(Counter.name, Counter.count)).all()
    assert ("runner deleted", 1) in [tuple(row) for row in counted]


def test_another_runner_is_not_touched(linked_harness: Harness) -> None:
    other = linked_harness.link_runner(linked_harness.add_athlete(8))
    leaving = get_first_runner(linked_harness)
    deletion.request_deletion(linked_harness.runtime, leaving)
    linked_harness.advance_clock(minutes=10)

    disconnect.process_removals(linked_harness.runtime)

    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Runner.id)).all() == [other]
    assert linked_harness.world.grants.get(8) is not None


def get_first_runner(harness: Harness) -> int:
    with harness.runtime.db.read_only() as session:
        return session.scalars(select(func.min(Runner.id))).one() or 0


def test_the_mailed_link_undoes_it_once(linked_harness: Harness) -> None:
    runner_id = get_runner(linked_harness)
    deletion.request_deletion(linked_harness.runtime, runner_id)
    token = read_pending_token(linked_harness.runtime, "undo")

    first = deletion.cancel_by_link(linked_harness.runtime, token)
    deletion.request_deletion(linked_harness.runtime, runner_id)
    again = deletion.cancel_by_link(linked_harness.runtime, token)

    assert (first, again) == (True, False)
    with linked_harness.runtime.db.read_only() as session:
        assert session.get_one(Runner, runner_id).erase_at is not None


def test_a_link_that_comes_too_late_undoes_nothing(linked_harness: Harness) -> None:
    deletion.request_deletion(linked_harness.runtime, get_runner(linked_harness))
    token = read_pending_token(linked_harness.runtime, "undo")
    linked_harness.advance_clock(minutes=10)

    assert not deletion.cancel_by_link(linked_harness.runtime, token)
    assert not deletion.cancel_deletion(
        linked_harness.runtime, get_runner(linked_harness)
    )


def begin_removal(harness: Harness, leaving_for: RemovalKind | None) -> None:
    """Leave the runner as a removal does while it speaks to Strava; None ends that."""
    began_at = harness.clock() if leaving_for else None
    with harness.runtime.db.transaction() as session:
        session.execute(
            update(Runner).values(leaving_for=leaving_for, leaving_since=began_at)
        )


def test_a_disconnection_under_way_stops_no_undo(linked_harness: Harness) -> None:
    deletion.request_deletion(linked_harness.runtime, get_runner(linked_harness))
    token = read_pending_token(linked_harness.runtime, "undo")
    begin_removal(linked_harness, RemovalKind.DISCONNECT)

    assert deletion.cancel_by_link(linked_harness.runtime, token)
    linked_harness.advance_clock(minutes=20)
    disconnect.process_removals(linked_harness.runtime)

    with linked_harness.runtime.db.read_only() as session:
        kept = session.scalars(select(Runner)).one()
        assert (kept.erase_at, kept.leaving_for, kept.athlete_id) == (None, None, None)


def test_a_link_that_undid_nothing_is_not_used_up(linked_harness: Harness) -> None:
    deletion.request_deletion(linked_harness.runtime, get_runner(linked_harness))
    token = read_pending_token(linked_harness.runtime, "undo")

    begin_removal(linked_harness, RemovalKind.DELETE)
    early = deletion.cancel_by_link(linked_harness.runtime, token)
    begin_removal(linked_harness, None)

    assert not early
    assert deletion.cancel_by_link(linked_harness.runtime, token)


def test_asking_twice_moves_nothing(linked_harness: Harness) -> None:
    first = deletion.request_deletion(
        linked_harness.runtime, get_runner(linked_harness)
    )
    linked_harness.advance_clock(minutes=5)

    second = deletion.request_deletion(
        linked_harness.runtime, get_runner(linked_harness)
    )

    assert first == second
    assert read_pending_mail(linked_harness.runtime, "undo")["until"].startswith(
        "2026-"
    )
    with linked_harness.runtime.db.read_only() as session:
        links = select(func.count()).where(MailLink.purpose == "undo")
        assert session.scalar(links) == 1
