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
from tests.support.harness import Stage
from tests.sync.runners.test_deletion import linked
from tests.sync.runners.test_disconnect import DiesAtStrava, Killed, rows, the_runner

__all__ = ["linked"]


class DiesWhileDeleting(Sealer):
    """The process dies in the last transaction, as the receipt is sealed."""

    @override
    def seal(self, text: str) -> bytes:
        raise Killed


def _dying_at_strava(runtime: Runtime, *, after: bool) -> Runtime:
    strava = DiesAtStrava(runtime.settings, budget=Budget("", clock=runtime.now))
    strava.dies_after = after
    return replace(runtime, strava=strava)


DEATHS: dict[str, Callable[[Runtime], Runtime]] = {
    "before Strava is told": lambda runtime: _dying_at_strava(runtime, after=False),
    "after Strava is told": lambda runtime: _dying_at_strava(runtime, after=True),
    "as the rows go": lambda runtime: replace(
        runtime,
        sealer=DiesWhileDeleting(
            [key.get_secret_value() for key in runtime.settings.secret_keys]
        ),
    ),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_deletion_that_was_killed_is_finished_once(linked: Stage, death: str) -> None:
    deletion.ask(linked.runtime, the_runner(linked))
    linked.pass_time(minutes=10)
    with pytest.raises(Killed):
        disconnect.resume(DEATHS[death](linked.runtime))
    too_late = deletion.undo(linked.runtime, the_runner(linked))
    disconnect.resume(linked.runtime)
    at_once = rows(linked, Runner)

    linked.pass_time(minutes=3)
    disconnect.resume(linked.runtime)

    assert not too_late
    assert at_once == 1  # whoever began may still be at it
    assert rows(linked, Runner) == rows(linked, Run) == rows(linked, Event) == 0
    assert linked.world.grants.get(7) is None
    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Mail.kind)).all() == ["deleted"]


def test_a_lost_key_stops_no_deletion(linked: Stage) -> None:
    deletion.ask(linked.runtime, the_runner(linked))
    linked.pass_time(minutes=10)
    other_key = Sealer(["another key that never sealed anything"])

    disconnect.resume(replace(linked.runtime, sealer=other_key))

    assert rows(linked, Runner) == 0
    with pytest.raises(KeyLost):
        other_key.open(linked.runtime.sealer.seal("x"))
