"""Goodbyes: none is left half said, nothing of Strava's stays, answers do."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update
from typing_extensions import override

from sync import queue
from sync.errors import AccessRevoked
from sync.models import (
    Answer,
    Backfill,
    Connection,
    Consent,
    Decision,
    Event,
    Export,
    FigureDecision,
    Mail,
    Model,
    Run,
    Runner,
    SetAside,
    Sweep,
)
from sync.portability import exports
from sync.queue import Work
from sync.runners import disconnect
from sync.runners.tokens import access_token
from sync.runs import backfill, pull, reconcile
from sync.runtime import Runtime
from sync.simulator import grants
from sync.strava import Lane, NotARun, RemoteRun
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Stage
from tests.support.runner_activity import live
from tests.sync.inbox.test_handle import athlete_of

DAY_MIN = 24 * 60


class Killed(BaseException):
    """Stands for kill -9: nothing catches it and nothing is cleaned up."""


class DiesAtStrava(HttpStrava):
    """The process dies while, or just after, Strava is asked."""

    dies_after = False

    @override
    def revoke(self, token: str) -> None:
        if self.dies_after:
            super().revoke(token)
        raise Killed


class LeavesMeanwhile(HttpStrava):
    """The runner leaves while Strava's answer is on its way."""

    leave: Callable[[], None]

    @override
    def run(self, access_token: str, run_id: int, *, lane: Lane) -> RemoteRun | NotARun:
        found = super().run(access_token, run_id, lane=lane)
        self.leave()
        return found


@pytest.fixture
def linked(stage: Stage) -> Stage:
    athlete = stage.athlete()
    for days_ago in range(3, 13):
        stage.run(athlete, ended_minutes_ago=days_ago * DAY_MIN)
    stage.link(athlete)
    stage.work()
    stage.pass_time(minutes=1)
    return stage


def the_runner(stage: Stage) -> int:
    with stage.runtime.db.reading() as session:
        return session.scalars(select(Runner.id)).one()


def rows(stage: Stage, table: type[Model]) -> int:
    with stage.runtime.db.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize("dies_after", [False, True])
@pytest.mark.parametrize(
    "goodbye", [disconnect.disconnect, disconnect.delete_everything]
)
def test_a_goodbye_that_was_killed_is_finished(
    linked: Stage, goodbye: Callable[[Runtime, int], None], *, dies_after: bool
) -> None:
    dying = DiesAtStrava(linked.runtime.settings, budget=Budget("", clock=linked.clock))
    dying.dies_after = dies_after
    with pytest.raises(Killed):
        goodbye(replace(linked.runtime, strava=dying), the_runner(linked))

    linked.pass_time(minutes=5)
    backfill.drain(linked.runtime)
    reconcile.drain(linked.runtime)
    disconnect.resume(linked.runtime)

    kept = 0 if goodbye is disconnect.delete_everything else 1
    assert rows(linked, Run) == rows(linked, Connection) == rows(linked, Sweep) == 0
    assert rows(linked, Runner) == kept
    assert linked.world.grants.get(7) is None
    with linked.runtime.db.reading() as session:
        assert "reconnect" not in session.scalars(select(Mail.kind)).all()


FROM_STRAVA: tuple[type[Model], ...] = (
    Run,
    Decision,
    Event,
    Export,
    SetAside,
    Backfill,
    Sweep,
    FigureDecision,
    Connection,
)


def test_disconnecting_leaves_nothing_of_strava_s_in_any_table(linked: Stage) -> None:
    runner_id = the_runner(linked)
    live(linked, athlete_of(linked), runner_id)
    exports.ask(linked.runtime, runner_id)
    exports.drain(linked.runtime)
    answers = rows(linked, Answer)
    held = {table.__tablename__: rows(linked, table) for table in FROM_STRAVA}

    disconnect.disconnect(linked.runtime, runner_id)

    left = {table.__tablename__: rows(linked, table) for table in FROM_STRAVA}
    assert 0 not in held.values(), held
    assert set(left.values()) == {0}, left
    assert 0 < rows(linked, Answer) == answers
    with linked.runtime.db.reading() as session:
        assert session.get_one(Runner, runner_id).athlete_id is None
        standing = session.scalars(
            select(Consent.kind).where(Consent.withdrawn_at.is_(None))
        )
        assert set(standing) == {"mood", "mail", "adult"}
        due = session.scalars(select(Mail.kind).where(Mail.due_at.is_not(None)))
        assert set(due) <= {"disconnected", "export_ready", "sign_in_link"}


def test_a_finished_goodbye_is_not_said_again(linked: Stage) -> None:
    disconnect.disconnect(linked.runtime, the_runner(linked))
    linked.pass_time(minutes=5)

    disconnect.resume(linked.runtime)

    with linked.runtime.db.reading() as session:
        kinds = session.scalars(select(Mail.kind)).all()
    assert kinds.count("disconnected") == 1


def test_goodbyes_that_do_not_fit_into_a_shift_are_said_in_the_next(
    linked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "SHIFT_S", 0)
    linked.link(linked.athlete(8))
    with linked.runtime.db.transaction() as session:
        session.execute(update(Runner).values(erase_at=linked.clock()))
    linked.queue.woken_up.clear()

    disconnect.resume(linked.runtime)
    after_one = rows(linked, Runner)
    disconnect.resume(linked.runtime)

    assert (after_one, rows(linked, Runner)) == (1, 0)
    assert Work.LEAVING in linked.queue.woken_up


def test_nobody_uses_the_tokens_of_a_runner_who_leaves(linked: Stage) -> None:
    strava = DiesAtStrava(
        linked.runtime.settings, budget=Budget("", clock=linked.clock)
    )
    dying = replace(linked.runtime, strava=strava)
    with pytest.raises(Killed):
        disconnect.disconnect(dying, the_runner(linked))
    before = linked.reads()
    linked.tell(athlete_of(linked), 1, "create")

    linked.pass_time(days=2)
    linked.work()
    reconcile.drain(linked.runtime)

    assert linked.reads() == before


def test_a_runner_who_leaves_while_strava_answers_leaves_no_run(
    linked: Stage,
) -> None:
    run = linked.run(athlete_of(linked))
    runner_id = the_runner(linked)
    leaving = LeavesMeanwhile(
        linked.runtime.settings, budget=Budget("", clock=linked.clock)
    )
    leaving.leave = lambda: disconnect.disconnect(linked.runtime, runner_id)

    pull.pull(
        replace(linked.runtime, strava=leaving), runner_id, run.id, lane=Lane.NEW_RUN
    )

    assert rows(linked, Run) == 0


def test_a_deauthorisation_invites_nobody_to_reconnect(linked: Stage) -> None:
    with linked.world.change():
        grants.deauthorise(linked.world, 7)

    disconnect.if_revoked(linked.runtime, the_runner(linked))

    with linked.runtime.db.reading() as session:
        waiting = session.scalars(
            select(Mail.kind).where(Mail.due_at.is_not(None))
        ).all()
    assert waiting == ["disconnected"]


def test_a_deauthorisation_that_was_killed_half_way_is_finished(
    linked: Stage,
) -> None:
    with linked.world.change():
        grants.deauthorise(linked.world, 7)
    linked.pass_time(hours=7)
    with pytest.raises(AccessRevoked):
        access_token(linked.runtime, the_runner(linked))
    # The process died here: the link is broken, the event is still due.

    disconnect.if_revoked(linked.runtime, the_runner(linked))

    assert rows(linked, Run) == 0
