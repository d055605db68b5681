"""An export is packed whatever dies, fails or is too slow."""

from dataclasses import replace

import pytest
from typing_extensions import override

from sync import queue, work_status
from sync.crypto import Sealer, Vault
from sync.models import Export, Runner
from sync.portability import exports
from sync.portability.exports import LEASE, MOST_ATTEMPTS, State
from sync.portability.pack import STEPS
from sync.queue import Work
from tests.conftest import KEY
from tests.support.harness import Stage
from tests.sync.portability.killed_packers import (
    ON_BOTH,
    DiesPacking,
    count,
    killed_packing,
    mail_kinds,
)


@ON_BOTH
def test_an_export_whose_worker_was_killed_is_packed_by_the_next(
    stage: Stage, runner_id: int
) -> None:
    exports.ask(stage.runtime, runner_id)
    killed_packing(stage.runtime)
    half_way = exports.look(stage.runtime, runner_id)
    exports.drain(stage.runtime)  # too early: another worker may be at it
    early = exports.look(stage.runtime, runner_id)
    stage.clock.forward(seconds=LEASE.total_seconds())

    exports.drain(stage.runtime)

    assert half_way.done == STEPS - 1
    assert early == half_way
    assert exports.look(stage.runtime, runner_id).state is State.READY
    assert count(stage, Export) == 1


def test_an_export_that_kills_every_worker_is_given_up(
    stage: Stage, runner_id: int
) -> None:
    exports.ask(stage.runtime, runner_id)
    for _ in range(MOST_ATTEMPTS):
        killed_packing(stage.runtime)
        stage.clock.forward(seconds=LEASE.total_seconds())
    exports.drain(stage.runtime)
    given_up = exports.look(stage.runtime, runner_id).state

    exports.ask(stage.runtime, runner_id)
    exports.drain(stage.runtime)

    assert given_up is State.FAILED
    assert exports.look(stage.runtime, runner_id).state is State.READY
    assert work_status.look(stage.runtime).oddities["export given up"] == 1


def test_a_lost_key_gives_the_export_up_and_the_others_go_on(
    stage: Stage, runner_id: int
) -> None:
    other = stage.link(stage.athlete(8))
    for one in (runner_id, other):
        exports.ask(stage.runtime, one)
    with stage.runtime.db.transaction() as session:
        stranger = Sealer(["a key that nobody has any more, long"])
        session.get_one(Runner, runner_id).vault_key = stranger.new_vault_key()

    exports.drain(stage.runtime)

    assert exports.look(stage.runtime, runner_id).state is State.FAILED
    assert exports.look(stage.runtime, other).state is State.READY


def test_an_export_that_fails_keeps_no_other_waiting(
    stage: Stage, runner_id: int
) -> None:
    other = stage.link(stage.athlete(8))
    for one in (runner_id, other):
        exports.ask(stage.runtime, one)
    with stage.runtime.db.reading() as session:
        key = session.get_one(Runner, runner_id).vault_key

    class Fails(Sealer):
        @override
        def vault(self, sealed_key: bytes) -> Vault:
            if sealed_key == key:
                raise ZeroDivisionError
            return super().vault(sealed_key)

    exports.drain(replace(stage.runtime, sealer=Fails([KEY])))
    failed = exports.look(stage.runtime, runner_id).state
    stage.clock.forward(seconds=LEASE.total_seconds())
    exports.drain(stage.runtime)

    assert failed is State.PACKING
    assert exports.look(stage.runtime, other).state is State.READY
    assert exports.look(stage.runtime, runner_id).state is State.READY


def test_exports_that_do_not_fit_into_a_shift_are_packed_in_the_next(
    stage: Stage, runner_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "SHIFT_S", 0)
    ids = [runner_id, stage.link(stage.athlete(8))]
    for one in ids:
        exports.ask(stage.runtime, one)
    stage.queue.woken_up.clear()

    exports.drain(stage.runtime)
    after_one = [exports.look(stage.runtime, one).state for one in ids]
    exports.drain(stage.runtime)

    assert after_one == [State.READY, State.PACKING]
    assert Work.EXPORT in stage.queue.woken_up
    assert exports.look(stage.runtime, ids[1]).state is State.READY


@ON_BOTH
def test_a_runner_erased_while_packing_leaves_nothing(
    stage: Stage, runner_id: int
) -> None:
    exports.ask(stage.runtime, runner_id)

    class Erases(DiesPacking):
        @override
        def vault(self, sealed_key: bytes) -> Vault:
            self.opened += 1
            if self.opened == 2:
                with stage.runtime.db.transaction() as session:
                    session.delete(session.get_one(Runner, runner_id))
            return Sealer.vault(self, sealed_key)

    exports.drain(replace(stage.runtime, sealer=Erases([KEY])))

    assert count(stage, Export) == count(stage, Runner) == 0


@ON_BOTH
def test_a_worker_that_was_too_slow_changes_nothing_any_more(
    stage: Stage, runner_id: int
) -> None:
    exports.ask(stage.runtime, runner_id)

    class IsSlow(DiesPacking):
        """Before the last step the lease ends, and another worker packs it all."""

        @override
        def vault(self, sealed_key: bytes) -> Vault:
            self.opened += 1
            if self.opened == 2:
                stage.clock.forward(seconds=LEASE.total_seconds())
                exports.drain(stage.runtime)
                stage.clock.forward(seconds=1)
            return Sealer.vault(self, sealed_key)

    exports.drain(replace(stage.runtime, sealer=IsSlow([KEY])))

    assert exports.look(stage.runtime, runner_id).state is State.READY
    assert mail_kinds(stage).count("export_ready") == 1
