"""A restored backup erases nobody who stayed since."""

import pytest
from sqlalchemy import update

from sync.models import Runner
from sync.runners import deletion, disconnect, inactivity
from sync.runners.inactivity import DELETE_AFTER, WARNING_PERIOD
from sync.vocabulary import RemovalKind
from tests.support.harness import Harness
from tests.sync.runners.test_deletion import begin_removal


@pytest.fixture
def runner_id(harness: Harness) -> int:
    return harness.link_runner(harness.add_athlete())


def is_here(harness: Harness, runner_id: int) -> bool:
    with harness.runtime.db.read_only() as session:
        return session.get(Runner, runner_id) is not None


def test_a_deletion_that_waited_in_the_backup_is_called_off(
    harness: Harness, runner_id: int
) -> None:
    deletion.request_deletion(harness.runtime, runner_id)
    harness.advance_clock(days=8)

    assert deletion.cancel_restored(harness.runtime) == [runner_id]
    disconnect.process_removals(harness.runtime)

    assert is_here(harness, runner_id)
    assert deletion.cancel_restored(harness.runtime) == []


def test_a_disconnection_in_the_backup_does_not_bring_the_deletion(
    harness: Harness, runner_id: int
) -> None:
    deletion.request_deletion(harness.runtime, runner_id)
    begin_removal(harness, RemovalKind.DISCONNECT)
    harness.advance_clock(days=8)

    assert deletion.cancel_restored(harness.runtime) == [runner_id]
    disconnect.process_removals(harness.runtime)

    assert is_here(harness, runner_id)


def test_who_was_warned_before_the_backup_is_warned_anew(
    harness: Harness, runner_id: int
) -> None:
    now = harness.runtime.now()
    with harness.runtime.db.transaction() as session:
        session.execute(
            update(Runner).values(
                active_at=now - DELETE_AFTER - WARNING_PERIOD,
                warned_at=now - 2 * WARNING_PERIOD,
            )
        )

    deletion.cancel_restored(harness.runtime)
    inactivity.process_inactive(harness.runtime)
    disconnect.process_removals(harness.runtime)

    assert is_here(harness, runner_id)
    with harness.runtime.db.read_only() as session:
        assert session.get_one(Runner, runner_id).warned_at == now
