"""Goodbyes: none is left half said, nothing of Strava's stays, answers do."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update
from typing_extensions import override

from sync import work
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
    QuarantinedRecord,
    ReconcileState,
    Run,
    Runner,
)
from sync.portability import exports
from sync.queue import Job
from sync.runners import deauthorisation, disconnect
from sync.runners.tokens import get_access_token
from sync.runs import backfill, pull, reconcile
from sync.runtime import Runtime
from sync.simulator import grants
from sync.strava import Activity, Lane
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Harness
from tests.support.runner_activity import add_activity
from tests.support.simulated_kill import SimulatedKill
from tests.sync.inbox.test_handle import get_athlete

DAY_MIN = 24 * 60


class KilledAtRevokeStrava(HttpStrava):
    """The process dies while, or just after, Strava is asked."""

    dies_after = False

    @override
    def revoke(self, token: str) -> None:
        if self.dies_after:
            super().revoke(token)
        raise SimulatedKill


class DisconnectDuringReadStrava(HttpStrava):
    """The runner leaves while Strava's answer is on its way."""

    leave: Callable[[], None]

    @override
    def run(self, access_token: str, run_id: int, *, lane: Lane) -> Activity:
        record = super().run(access_token, run_id, lane=lane)
        self.leave()
        return record


@pytest.fixture
def linked_harness(harness: Harness) -> Harness:
    athlete = harness.add_athlete()
    for days_ago in range(3, 13):
        harness.finish_run(athlete, ended_minutes_ago=days_ago * DAY_MIN)
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(minutes=1)
    return harness


def get_runner(harness: Harness) -> int:
    with harness.runtime.db.read_only() as session:
        return session.scalars(select(Runner.id)).one()


def count_rows(harness: Harness, table: type[Model]) -> int:
    with harness.runtime.db.read_only() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize("dies_after", [False, True])
@pytest.mark.parametrize("goodbye", [disconnect.disconnect, disconnect.delete_runner])
def test_a_goodbye_that_was_killed_is_finished(
    linked_harness: Harness,
    goodbye: Callable[[Runtime, int], None],
    *,
    dies_after: bool,
) -> None:
    dying = KilledAtRevokeStrava(
        linked_harness.runtime.settings, budget=Budget("", clock=linked_harness.clock)
    )
    dying.dies_after = dies_after
    with pytest.raises(SimulatedKill):
        goodbye(
            replace(linked_harness.runtime, strava=dying), get_runner(linked_harness)
        )

    linked_harness.advance_clock(minutes=5)
    backfill.process_due(linked_harness.runtime)
    reconcile.process_due(linked_harness.runtime)
    disconnect.process_removals(linked_harness.runtime)

    kept = 0 if goodbye is disconnect.delete_runner else 1
    assert (
        count_rows(linked_harness, Run)
        == count_rows(linked_harness, Connection)
        == count_rows(linked_harness, ReconcileState)
        == 0
    )
    assert count_rows(linked_harness, Runner) == kept
    assert linked_harness.world.grants.get(7) is None
    with linked_harness.runtime.db.read_only() as session:
        assert "reconnect" not in session.scalars(select(Mail.kind)).all()


FROM_STRAVA: tuple[type[Model], ...] = (
    Run,
    Decision,
    Event,
    Export,
    QuarantinedRecord,
    Backfill,
    ReconcileState,
    FigureDecision,
    Connection,
)


def test_disconnecting_leaves_nothing_of_strava_s_in_any_table(
    linked_harness: Harness,
) -> None:
    runner_id = get_runner(linked_harness)
    add_activity(linked_harness, get_athlete(linked_harness), runner_id)
    exports.request_export(linked_harness.runtime, runner_id)
    exports.process_due(linked_harness.runtime)
    answers = count_rows(linked_harness, Answer)
    held = {
        table.__tablename__: count_rows(linked_harness, table) for table in FROM_STRAVA
    }

    disconnect.disconnect(linked_harness.runtime, runner_id)

    left = {
        table.__tablename__: count_rows(linked_harness, table) for table in FROM_STRAVA
    }
    assert 0 not in held.values(), held
    assert set(left.values()) == {0}, left
    assert 0 < count_rows(linked_harness, Answer) == answers
    with linked_harness.runtime.db.read_only() as session:
        assert session.get_one(Runner, runner_id).athlete_id is None
        standing = session.scalars(
            select(Consent.kind).where(Consent.withdrawn_at.is_(None))
        )
        assert set(standing) == {"mood", "mail", "adult"}
        due = session.scalars(select(Mail.kind).where(Mail.due_at.is_not(None)))
        assert set(due) <= {"disconnected", "export_ready", "sign_in_link"}


def test_a_finished_goodbye_is_not_said_again(linked_harness: Harness) -> None:
    disconnect.disconnect(linked_harness.runtime, get_runner(linked_harness))
    linked_harness.advance_clock(minutes=5)

    disconnect.process_removals(linked_harness.runtime)

    with linked_harness.runtime.db.read_only() as session:
        kinds = session.scalars(select(Mail.kind)).all()
    assert kinds.count("disconnected") == 1


def test_goodbyes_that_do_not_fit_into_a_shift_are_said_in_the_next(
    linked_harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SHIFT_S", 0)
    linked_harness.link_runner(linked_harness.add_athlete(8))
    with linked_harness.runtime.db.transaction() as session:
        session.execute(update(Runner).values(erase_at=linked_harness.clock()))
    linked_harness.queue.wakes.clear()

    disconnect.process_removals(linked_harness.runtime)
    after_one = count_rows(linked_harness, Runner)
    disconnect.process_removals(linked_harness.runtime)

    assert (after_one, count_rows(linked_harness, Runner)) == (1, 0)
    assert Job.REMOVALS in linked_harness.queue.wakes


def test_nobody_uses_the_tokens_of_a_runner_who_leaves(linked_harness: Harness) -> None:
    strava = KilledAtRevokeStrava(
        linked_harness.runtime.settings, budget=Budget("", clock=linked_harness.clock)
    )
    dying = replace(linked_harness.runtime, strava=strava)
    with pytest.raises(SimulatedKill):
        disconnect.disconnect(dying, get_runner(linked_harness))
    before = linked_harness.count_strava_reads()
    linked_harness.deliver_event(get_athlete(linked_harness), 1, "create")

    linked_harness.advance_clock(days=2)
    linked_harness.process_all_due()
    reconcile.process_due(linked_harness.runtime)

    assert linked_harness.count_strava_reads() == before


def test_a_runner_who_leaves_while_strava_answers_leaves_no_run(
    linked_harness: Harness,
) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    runner_id = get_runner(linked_harness)
    leaving = DisconnectDuringReadStrava(
        linked_harness.runtime.settings, budget=Budget("", clock=linked_harness.clock)
    )
    leaving.leave = lambda: disconnect.disconnect(linked_harness.runtime, runner_id)

    pull.pull_run(
        replace(linked_harness.runtime, strava=leaving),
        runner_id,
        run.id,
        lane=Lane.NEW_RUN,
    )

    assert count_rows(linked_harness, Run) == 0


def test_a_deauthorisation_invites_nobody_to_reconnect(linked_harness: Harness) -> None:
    with linked_harness.world.transaction():
        grants.deauthorise_athlete(linked_harness.world, 7)

    deauthorisation.disconnect_if_revoked(
        linked_harness.runtime, get_runner(linked_harness)
    )

    with linked_harness.runtime.db.read_only() as session:
        waiting = session.scalars(
            select(Mail.kind).where(Mail.due_at.is_not(None))
        ).all()
    assert waiting == ["disconnected"]


def test_a_deauthorisation_that_was_killed_half_way_is_finished(
    linked_harness: Harness,
) -> None:
    with linked_harness.world.transaction():
        grants.deauthorise_athlete(linked_harness.world, 7)
    linked_harness.advance_clock(hours=7)
    with pytest.raises(AccessRevoked):
        get_access_token(linked_harness.runtime, get_runner(linked_harness))
    # The process died here: the link is broken, the event is still due.

    deauthorisation.disconnect_if_revoked(
        linked_harness.runtime, get_runner(linked_harness)
    )

    assert count_rows(linked_harness, Run) == 0
