"""Goodbyes and what may be kept: nothing is left half said, answers stay."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from typing_extensions import override

from sync import queue
from sync.errors import AccessRevoked
from sync.inbox import tidy as inbox_tidy
from sync.models import (
    Answer,
    Backfill,
    Connection,
    Consent,
    Decision,
    Event,
    Export,
    FigureDecision,
    LinkAttempt,
    Mail,
    Model,
    Run,
    Runner,
    SetAside,
    SignIn,
    Sweep,
)
from sync.queue import Work
from sync.runners import leave, signin
from sync.runners import tidy as runners_tidy
from sync.runners.tokens import access_token
from sync.runs import backfill, pull, sweep
from sync.runs import tidy as runs_tidy
from sync.runtime import Runtime
from sync.settings import Settings
from sync.simulator import grants
from sync.strava import Lane, NotARun, RemoteRun
from sync.strava.client import HttpStrava
from sync.surveys import answer
from sync.takeout import exports
from tests.stage import Stage
from tests.sync.test_events import athlete_of, runs_of
from tests.takeout.lives import live

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


def answer_newest(stage: Stage) -> None:
    run = stage.run(athlete_of(stage), ended_minutes_ago=30)
    stage.tell(athlete_of(stage), run.id, "create")
    stage.work()
    answer.record_for_run(
        stage.runtime,
        runner_id=the_runner(stage),
        run_id=runs_of(stage)[-1].id,
        values={"mood": 1},
    )


@pytest.mark.parametrize("dies_after", [False, True])
@pytest.mark.parametrize("goodbye", [leave.disconnect, leave.delete_everything])
def test_a_goodbye_that_was_killed_is_finished(
    linked: Stage, goodbye: Callable[[Runtime, int], None], *, dies_after: bool
) -> None:
    dying = DiesAtStrava(linked.runtime.settings)
    dying.dies_after = dies_after
    with pytest.raises(Killed):
        goodbye(replace(linked.runtime, strava=dying), the_runner(linked))

    linked.pass_time(minutes=5)
    backfill.drain(linked.runtime)
    sweep.drain(linked.runtime)
    leave.resume(linked.runtime)

    kept = 0 if goodbye is leave.delete_everything else 1
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

    leave.disconnect(linked.runtime, runner_id)

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
    leave.disconnect(linked.runtime, the_runner(linked))
    linked.pass_time(minutes=5)

    leave.resume(linked.runtime)

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

    leave.resume(linked.runtime)
    after_one = rows(linked, Runner)
    leave.resume(linked.runtime)

    assert (after_one, rows(linked, Runner)) == (1, 0)
    assert Work.LEAVING in linked.queue.woken_up


def test_nobody_uses_the_tokens_of_a_runner_who_leaves(linked: Stage) -> None:
    dying = replace(linked.runtime, strava=DiesAtStrava(linked.runtime.settings))
    with pytest.raises(Killed):
        leave.disconnect(dying, the_runner(linked))
    before = linked.reads()
    linked.tell(athlete_of(linked), 1, "create")

    linked.pass_time(days=2)
    linked.work()
    sweep.drain(linked.runtime)

    assert linked.reads() == before


def test_a_runner_who_leaves_while_strava_answers_leaves_no_run(
    linked: Stage,
) -> None:
    run = linked.run(athlete_of(linked))
    runner_id = the_runner(linked)
    leaving = LeavesMeanwhile(linked.runtime.settings)
    leaving.leave = lambda: leave.disconnect(linked.runtime, runner_id)

    pull.pull(
        replace(linked.runtime, strava=leaving), runner_id, run.id, lane=Lane.NEW_RUN
    )

    assert rows(linked, Run) == 0


def test_a_deauthorisation_invites_nobody_to_reconnect(linked: Stage) -> None:
    with linked.world.change():
        grants.deauthorise(linked.world, 7)

    leave.if_revoked(linked.runtime, the_runner(linked))

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

    leave.if_revoked(linked.runtime, the_runner(linked))

    assert rows(linked, Run) == 0


def keeping(runtime: Runtime, days: int) -> Runtime:
    values = {**dict(runtime.settings), "strava_retention_days": days}
    return replace(runtime, settings=Settings.model_construct(**values))


def test_without_a_limit_every_run_is_kept(linked: Stage) -> None:
    linked.pass_time(days=900)

    runs_tidy.tidy(linked.runtime)

    assert rows(linked, Run) == 10


def test_old_runs_go_and_answers_stay(linked: Stage) -> None:
    answer_newest(linked)
    strict = keeping(linked.runtime, 7)

    runs_tidy.tidy(strict)
    recent = rows(linked, Run)
    linked.pass_time(days=8)
    runs_tidy.tidy(strict)

    assert recent == 5
    assert rows(linked, Run) == 0
    assert rows(linked, Answer) == 1


def test_what_may_not_be_kept_is_not_even_imported(stage: Stage) -> None:
    strict = replace(stage, runtime=keeping(stage.runtime, 7))
    athlete = stage.athlete()
    for days_ago in range(1, 21):
        strict.run(athlete, ended_minutes_ago=days_ago * DAY_MIN)

    strict.link(athlete)
    strict.work()
    strict.pass_time(days=1, minutes=1)
    runs_tidy.tidy(strict.runtime)
    sweep.drain(strict.runtime)

    assert {run.local_day for run in runs_of(strict)} == {
        (strict.clock() - timedelta(days=days)).date() for days in range(2, 7)
    }


def test_a_run_that_stayed_hidden_is_purged(linked: Stage) -> None:
    with linked.runtime.db.transaction() as session:
        session.execute(update(Run).values(hidden_at=linked.clock()))

    linked.pass_time(hours=39)
    runs_tidy.tidy(linked.runtime)
    early = rows(linked, Run)
    linked.pass_time(hours=2)
    runs_tidy.tidy(linked.runtime)

    assert (early, rows(linked, Run)) == (10, 0)


def test_settled_events_go_after_a_month_and_due_ones_stay(linked: Stage) -> None:
    for aspect in ("create", "delete"):
        linked.tell(athlete_of(linked), 5, aspect)
    with linked.runtime.db.transaction() as session:
        session.execute(
            update(Event).where(Event.aspect == "create").values(due_at=None)
        )

    linked.pass_time(days=31)
    inbox_tidy.tidy(linked.runtime)

    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Event.aspect)).all() == ["delete"]


def test_an_event_that_came_in_as_its_runner_left_goes(linked: Stage) -> None:
    linked.tell(athlete_of(linked), 5, "create")
    with linked.runtime.db.transaction() as session:
        session.execute(update(Event).values(athlete_id=4711))

    inbox_tidy.tidy(linked.runtime)

    assert rows(linked, Event) == 0


def test_under_a_limit_settled_events_go_with_the_runs(linked: Stage) -> None:
    linked.tell(athlete_of(linked), 5, "create")
    with linked.runtime.db.transaction() as session:
        session.execute(update(Event).values(due_at=None))
    strict = keeping(linked.runtime, 7)

    linked.pass_time(days=6)
    inbox_tidy.tidy(strict)
    early = rows(linked, Event)
    linked.pass_time(days=2)
    inbox_tidy.tidy(strict)

    assert (early, rows(linked, Event)) == (1, 0)


def test_used_and_expired_links_and_sign_ins_go(linked: Stage) -> None:
    signin.sign_in(linked.runtime, the_runner(linked))

    runners_tidy.tidy(linked.runtime)
    early = rows(linked, LinkAttempt), rows(linked, SignIn)
    linked.pass_time(days=31)
    runners_tidy.tidy(linked.runtime)

    assert early == (1, 1)
    assert (rows(linked, LinkAttempt), rows(linked, SignIn)) == (0, 0)
