"""A deletion that was killed anywhere is finished, once; a lost key stops none."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select
from typing_extensions import override

from sync.crypto import KeyLost, Sealer
from sync.models import (
    Event,
    Mail,
    Run,
    Runner,
)
from sync.runners import deletion, disconnect
from sync.runtime import Runtime
from sync.strava.budget import Budget
from sync.vocabulary import SealedColumn
from tests.support.harness import Harness
from tests.support.simulated_kill import SimulatedKill
from tests.sync.runners.test_deletion import linked_harness
from tests.sync.runners.test_disconnect import (
    KilledAtRevokeStrava,
    count_rows,
    get_runner,
)

__all__ = ["linked_harness"]


class KilledWhileDeletingSealer(Sealer):
    """The process dies in the last transaction, as the receipt is sealed."""

    @override
    def seal(self, text: str, column: SealedColumn) -> bytes:
        raise SimulatedKill


def _kill_at_strava(runtime: Runtime, *, after: bool) -> Runtime:
    strava = KilledAtRevokeStrava(
        runtime.settings, budget=Budget("", clock=runtime.now)
    )
    strava.dies_after = after
    return replace(runtime, strava=strava)


DEATHS: dict[str, Callable[[Runtime], Runtime]] = {
    "before Strava is told": lambda runtime: _kill_at_strava(runtime, after=False),
    "after Strava is told": lambda runtime: _kill_at_strava(runtime, after=True),
    "as the rows go": lambda runtime: replace(
        runtime,
        sealer=KilledWhileDeletingSealer(
            [key.get_secret_value() for key in runtime.settings.secret_keys]
        ),
    ),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_deletion_that_was_killed_is_finished_once(
    linked_harness: Harness, death: str
) -> None:
    deletion.request_deletion(linked_harness.runtime, get_runner(linked_harness))
    linked_harness.advance_clock(minutes=10)
    with pytest.raises(SimulatedKill):
        disconnect.process_removals(DEATHS[death](linked_harness.runtime))
    too_late = deletion.cancel_deletion(
        linked_harness.runtime, get_runner(linked_harness)
    )
    disconnect.process_removals(linked_harness.runtime)
    at_once = count_rows(linked_harness, Runner)

    linked_harness.advance_clock(minutes=3)
    disconnect.process_removals(linked_harness.runtime)

    assert not too_late
    assert at_once == 1  # whoever began may still be at it
    assert (
        count_rows(linked_harness, Runner)
        == count_rows(linked_harness, Run)
        == count_rows(linked_harness, Event)
        == 0
    )
    assert linked_harness.world.grants.get(7) is None
    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Mail.kind)).all() == ["deleted"]


def test_a_lost_key_stops_no_deletion(linked_harness: Harness) -> None:
    deletion.request_deletion(linked_harness.runtime, get_runner(linked_harness))
    linked_harness.advance_clock(minutes=10)
    other_key = Sealer(["another key that never sealed anything"])

    disconnect.process_removals(replace(linked_harness.runtime, sealer=other_key))

    assert count_rows(linked_harness, Runner) == 0
    sealed = linked_harness.runtime.sealer.seal("x", SealedColumn.MAIL)
    with pytest.raises(KeyLost):
        other_key.open(sealed, SealedColumn.MAIL)
