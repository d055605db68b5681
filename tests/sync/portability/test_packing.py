"""An export is packed whatever dies, fails or is too slow."""

from dataclasses import replace

import pytest
from typing_extensions import override

from sync import work, work_status
from sync.backoff import LEASE
from sync.crypto import Sealer, Vault
from sync.models import Export, Runner
from sync.portability import exports
from sync.portability.exports import ExportState, ExportWork
from sync.portability.pack import STEPS
from sync.queue import Job
from tests.conftest import KEY
from tests.support.harness import Harness
from tests.sync.portability.killed_packers import (
    ON_BOTH_DATABASES,
    KilledWhilePackingSealer,
    count_rows,
    list_mail_kinds,
    pack_and_die,
)


@ON_BOTH_DATABASES
def test_an_export_whose_worker_was_killed_is_packed_by_the_next(
    harness: Harness, runner_id: int
) -> None:
    exports.request_export(harness.runtime, runner_id)
    pack_and_die(harness.runtime)
    half_way = exports.load_status(harness.runtime, runner_id)
    exports.process_due(harness.runtime)  # too early: another worker may be at it
    early = exports.load_status(harness.runtime, runner_id)
    harness.clock.advance(seconds=LEASE.total_seconds())

    exports.process_due(harness.runtime)

    assert half_way.done == STEPS - 1
    assert early == half_way
    assert exports.load_status(harness.runtime, runner_id).state is ExportState.READY
    assert count_rows(harness, Export) == 1


def test_an_export_that_kills_every_worker_is_given_up(
    harness: Harness, runner_id: int
) -> None:
    exports.request_export(harness.runtime, runner_id)
    for _ in range(ExportWork.max_attempts):
        pack_and_die(harness.runtime)
        harness.clock.advance(seconds=LEASE.total_seconds())
    exports.process_due(harness.runtime)
    state = exports.load_status(harness.runtime, runner_id).state

    exports.request_export(harness.runtime, runner_id)
    exports.process_due(harness.runtime)

    assert state is ExportState.FAILED
    assert exports.load_status(harness.runtime, runner_id).state is ExportState.READY
    assert work_status.read_status(harness.runtime).counters["export given up"] == 1


def test_a_lost_key_gives_the_export_up_and_the_others_go_on(
    harness: Harness, runner_id: int
) -> None:
    other = harness.link_runner(harness.add_athlete(8))
    for one in (runner_id, other):
        exports.request_export(harness.runtime, one)
    with harness.runtime.db.transaction() as session:
        other_browser = Sealer(["a key that nobody has any more, long"])
        session.get_one(Runner, runner_id).vault_key = other_browser.new_vault_key()

    exports.process_due(harness.runtime)

    assert exports.load_status(harness.runtime, runner_id).state is ExportState.FAILED
    assert exports.load_status(harness.runtime, other).state is ExportState.READY


def test_an_export_that_fails_keeps_no_other_waiting(
    harness: Harness, runner_id: int
) -> None:
    other = harness.link_runner(harness.add_athlete(8))
    for one in (runner_id, other):
        exports.request_export(harness.runtime, one)
    with harness.runtime.db.read_only() as session:
        key = session.get_one(Runner, runner_id).vault_key

    class Fails(Sealer):
        @override
        def open_vault(self, sealed_key: bytes) -> Vault:
            if sealed_key == key:
                raise ZeroDivisionError
            return super().open_vault(sealed_key)

    exports.process_due(replace(harness.runtime, sealer=Fails([KEY])))
    failed = exports.load_status(harness.runtime, runner_id).state
    harness.clock.advance(seconds=LEASE.total_seconds())
    exports.process_due(harness.runtime)

    assert failed is ExportState.PACKING
    assert exports.load_status(harness.runtime, other).state is ExportState.READY
    assert exports.load_status(harness.runtime, runner_id).state is ExportState.READY


def test_exports_that_do_not_fit_into_a_shift_are_packed_in_the_next(
    harness: Harness, runner_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SHIFT_S", 0)
    ids = [runner_id, harness.link_runner(harness.add_athlete(8))]
    for one in ids:
        exports.request_export(harness.runtime, one)
    harness.queue.wakes.clear()

    exports.process_due(harness.runtime)
    after_one = [exports.load_status(harness.runtime, one).state for one in ids]
    exports.process_due(harness.runtime)

    assert after_one == [ExportState.READY, ExportState.PACKING]
    assert Job.EXPORT in harness.queue.wakes
    assert exports.load_status(harness.runtime, ids[1]).state is ExportState.READY


@ON_BOTH_DATABASES
def test_a_runner_erased_while_packing_leaves_nothing(
    harness: Harness, runner_id: int
) -> None:
    exports.request_export(harness.runtime, runner_id)

    class Erases(KilledWhilePackingSealer):
        @override
        def open_vault(self, sealed_key: bytes) -> Vault:
            self.opened += 1
            if self.opened == 2:
                with harness.runtime.db.transaction() as session:
                    session.delete(session.get_one(Runner, runner_id))
            return Sealer.open_vault(self, sealed_key)

    exports.process_due(replace(harness.runtime, sealer=Erases([KEY])))

    assert count_rows(harness, Export) == count_rows(harness, Runner) == 0


@ON_BOTH_DATABASES
def test_a_worker_that_was_too_slow_changes_nothing_any_more(
    harness: Harness, runner_id: int
) -> None:
    exports.request_export(harness.runtime, runner_id)

    class IsSlow(KilledWhilePackingSealer):
        """Before the last step the lease ends, and another worker packs it all."""

        @override
        def open_vault(self, sealed_key: bytes) -> Vault:
            self.opened += 1
            if self.opened == 2:
                harness.clock.advance(seconds=LEASE.total_seconds())
                exports.process_due(harness.runtime)
                harness.clock.advance(seconds=1)
            return Sealer.open_vault(self, sealed_key)

    exports.process_due(replace(harness.runtime, sealer=IsSlow([KEY])))

    assert exports.load_status(harness.runtime, runner_id).state is ExportState.READY
    assert list_mail_kinds(harness).count("export_ready") == 1
