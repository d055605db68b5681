"""Rotating keys: afterwards the old key opens nothing, and nothing is lost."""

from dataclasses import replace

import pytest

from host.keys import rotate
from sync.crypto import KeyLost, Sealer
from sync.models import Connection, Runner
from sync.runners import store
from tests.conftest import KEY
from tests.stage import Stage

NEW = "another key for tests, newer than it"


def test_everything_moves_to_the_newest_key(stage: Stage) -> None:
    runner_id = stage.link(stage.athlete())
    both = replace(stage.runtime, sealer=Sealer([NEW, KEY]))

    count = rotate(both)

    newest = Sealer([NEW])
    with both.db.reading() as session:
        runner = session.get_one(Runner, runner_id)
        connection = session.get_one(Connection, runner_id)
        found = store.by_address(session, newest.lookup_hashes("runner1@example.org"))
    assert count >= 4
    assert newest.open(runner.email or b"") == "runner1@example.org"
    assert newest.open(connection.refresh_token)
    assert len(newest.open(runner.vault_key)) == 64
    assert found is not None


def test_a_lost_key_changes_nothing(stage: Stage) -> None:
    runner_id = stage.link(stage.athlete())
    stranger = replace(stage.runtime, sealer=Sealer([NEW]))

    with pytest.raises(KeyLost):
        rotate(stranger)

    with stage.runtime.db.reading() as session:
        runner = session.get_one(Runner, runner_id)
    assert stage.runtime.sealer.open(runner.email or b"") == "runner1@example.org"
