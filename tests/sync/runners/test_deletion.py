"""Deleting everything: ten minutes to undo it, then nothing is left anywhere."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from sync.errors import GoingSoon
from sync.inbox import handle
from sync.mail import deliver, outbox
from sync.models import (
    Backfill,
    Export,
    Mail,
    MailLink,
    Model,
    Run,
    Runner,
    Sweep,
    Tally,
)
from sync.queue import Work
from sync.runners import deletion, disconnect, sign_in
from sync.runs import backfill, reconcile
from sync.surveys.answering import answer
from sync.surveys.sending import checkins, decide_runs
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in, waiting
from tests.sync.inbox.test_handle import athlete_of, runs_of
from tests.sync.runners.test_disconnect import rows, the_runner

DAY_MIN = 24 * 60


@pytest.fixture
def linked(stage: Stage) -> Stage:
    """Return a stage with a runner who has runs, an answer, mails and a sign-in."""
    athlete = stage.athlete()
    for days_ago in range(3, 6):
        stage.run(athlete, ended_minutes_ago=days_ago * DAY_MIN)
    runner_id = stage.link(athlete)
    stage.work()
    stage.pass_time(minutes=1)
    run = stage.run(athlete, ended_minutes_ago=30)
    stage.tell(athlete, run.id, "create")
    stage.work()
    answer.record(stage.runtime, token=token_in(stage.runtime), values={"mood": 1})
    sign_in.sign_in(stage.runtime, runner_id)
    with stage.runtime.db.transaction() as session:
        session.add(Export(runner_id=runner_id, asked_at=stage.clock(), sealed=b"zip"))
    return stage


def everything(stage: Stage, *, but: set[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, but for those tables."""
    with stage.runtime.db.reading() as session:
        return {
            table.name: sorted(map(tuple, session.execute(select(table))), key=repr)
            for table in Model.metadata.sorted_tables
            if table.name not in but
        }


def everyone_works(stage: Stage) -> None:
    """Let every worker look for what is due."""
    stage.work()
    for drain in (
        backfill.drain,
        reconcile.drain,
        decide_runs.drain,
        checkins.drain,
        handle.drain,
    ):
        drain(stage.runtime)
    disconnect.resume(stage.runtime)


def test_an_undone_deletion_leaves_everything_as_it_was(linked: Stage) -> None:
    before = everything(linked, but={"tally", "sweep"})
    deletion.ask(linked.runtime, the_runner(linked))
    linked.pass_time(minutes=9)

    undone = deletion.undo(linked.runtime, the_runner(linked))

    assert undone
    assert everything(linked, but={"tally", "sweep"}) == before
    assert set(Work) <= set(linked.queue.woken_up)
    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Sweep.due_at)).one() == linked.clock()


def test_while_it_can_be_undone_nothing_is_fetched_asked_or_mailed(
    linked: Stage,
) -> None:
    runner_id = the_runner(linked)
    with linked.runtime.db.transaction() as session:
        session.execute(update(Sweep).values(due_at=linked.clock()))
        session.execute(update(Backfill).values(due_at=linked.clock()))
    before, reads = everything(linked, but={"event", "mail_link"}), linked.reads()
    deletion.ask(linked.runtime, runner_id)
    run = linked.run(athlete_of(linked), ended_minutes_ago=20)
    linked.tell(athlete_of(linked), run.id, "create")

    linked.pass_time(minutes=9)
    everyone_works(linked)

    after = everything(linked, but={"event", "mail_link"})
    assert linked.reads() == reads
    assert {name for name in after if after[name] != before[name]} == {
        "runner",  # when it goes
        "mail",  # the way back
    }
    newest, values = runs_of(linked)[-1].id, {"mood": 1}
    with pytest.raises(GoingSoon):
        answer.record_for_run(
            linked.runtime, runner_id=runner_id, run_id=newest, values=values
        )


def test_what_waited_is_done_after_an_undo(linked: Stage) -> None:
    runner_id = the_runner(linked)
    deletion.ask(linked.runtime, runner_id)
    run = linked.run(athlete_of(linked), ended_minutes_ago=20)
    linked.tell(athlete_of(linked), run.id, "create")
    linked.work()
    early = rows(linked, Run)

    deletion.undo(linked.runtime, runner_id)
    linked.work()

    assert (early, rows(linked, Run)) == (4, 5)


def test_mails_wait_for_the_undo_and_only_the_way_back_leaves(linked: Stage) -> None:
    runner_id = the_runner(linked)
    with linked.runtime.db.transaction() as session:
        outbox.promise(
            session,
            sealer=linked.runtime.sealer,
            now=linked.clock(),
            dedupe_key="waiting",
            kind="reconnect",
            runner_id=runner_id,
            values={},
            stale_at=linked.clock() + timedelta(days=1),
        )
    erase_at = deletion.ask(linked.runtime, runner_id)
    linked.pass_time(minutes=1)

    deliver.deliver_due(linked.runtime)
    meanwhile = _due(linked)
    deletion.undo(linked.runtime, runner_id)

    assert meanwhile["reconnect"] == erase_at
    assert meanwhile["undo"] < erase_at
    assert _due(linked) == {"reconnect": linked.clock()}


def _due(stage: Stage) -> dict[str, Any]:
    with stage.runtime.db.reading() as session:
        due = select(Mail.kind, Mail.due_at).where(Mail.due_at.is_not(None))
        return {row.kind: row.due_at for row in session.execute(due)}


def test_after_ten_minutes_nothing_of_the_runner_is_left(linked: Stage) -> None:
    runner_id, athlete_id = the_runner(linked), athlete_of(linked).id
    deletion.ask(linked.runtime, runner_id)
    linked.pass_time(minutes=9, seconds=59)
    disconnect.resume(linked.runtime)
    early = rows(linked, Runner), linked.world.grants.get(athlete_id) is not None

    linked.pass_time(seconds=1)
    disconnect.resume(linked.runtime)

    left = everything(linked, but={"tally", "link_attempt", "alembic_version"})
    receipt = left.pop("mail")
    assert early == (1, True)
    assert {name for name, found in left.items() if found} == set()
    assert linked.world.grants.get(athlete_id) is None
    assert len(receipt) == 1
    assert "deleted" in receipt[0]
    assert runner_id not in receipt[0][2:4]
    with linked.runtime.db.reading() as session:
        counted = session.execute(select(Tally.name, Tally.count)).all()
    assert ("runner deleted", 1) in [tuple(row) for row in counted]


def test_another_runner_is_not_touched(linked: Stage) -> None:
    other = linked.link(linked.athlete(8))
    leaving = the_first(linked)
    deletion.ask(linked.runtime, leaving)
    linked.pass_time(minutes=10)

    disconnect.resume(linked.runtime)

    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Runner.id)).all() == [other]
    assert linked.world.grants.get(8) is not None


def the_first(stage: Stage) -> int:
    with stage.runtime.db.reading() as session:
        return session.scalars(select(func.min(Runner.id))).one() or 0


def test_the_mailed_link_undoes_it_once(linked: Stage) -> None:
    runner_id = the_runner(linked)
    deletion.ask(linked.runtime, runner_id)
    token = token_in(linked.runtime, "undo")

    first = deletion.undo_by_link(linked.runtime, token)
    deletion.ask(linked.runtime, runner_id)
    again = deletion.undo_by_link(linked.runtime, token)

    assert (first, again) == (True, False)
    with linked.runtime.db.reading() as session:
        assert session.get_one(Runner, runner_id).erase_at is not None


def test_a_link_that_comes_too_late_undoes_nothing(linked: Stage) -> None:
    deletion.ask(linked.runtime, the_runner(linked))
    token = token_in(linked.runtime, "undo")
    linked.pass_time(minutes=10)

    assert not deletion.undo_by_link(linked.runtime, token)
    assert not deletion.undo(linked.runtime, the_runner(linked))


def test_asking_twice_moves_nothing(linked: Stage) -> None:
    first = deletion.ask(linked.runtime, the_runner(linked))
    linked.pass_time(minutes=5)

    second = deletion.ask(linked.runtime, the_runner(linked))

    assert first == second
    assert waiting(linked.runtime, "undo")["until"].startswith("2026-")
    with linked.runtime.db.reading() as session:
        links = select(func.count()).where(MailLink.purpose == "undo")
        assert session.scalar(links) == 1
