"""Rotating keys: afterwards the old key opens nothing, and nothing is lost."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import LargeBinary, select

from host.cli import main
from host.doctor import examine
from host.keys import SEALED, rotate
from sync.crypto import KeyLost, Sealer
from sync.models import (
    Answer,
    Connection,
    Export,
    FigureDecision,
    Model,
    Runner,
)
from sync.portability import exports
from sync.runners import address, store
from sync.runtime import Runtime
from tests.conftest import KEY
from tests.support.harness import Stage
from tests.support.runner_activity import live

# What lies under a runner's own vault key, which moves and need not change.
IN_VAULTS: Mapping[type[Model], tuple[str, ...]] = {
    Answer: ("sealed",),
    FigureDecision: ("sealed",),
    Export: ("sealed",),
}
NEW = "another key for tests, newer than it"


@pytest.fixture
def runner_id(stage: Stage) -> int:
    """Link a runner with a secret of every kind, an export among them."""
    athlete = stage.athlete()
    runner_id = stage.link(athlete)
    stage.work()
    live(stage, athlete, runner_id)
    address.ask(stage.runtime, runner_id=runner_id, email="new@example.org")
    exports.ask(stage.runtime, runner_id)
    exports.drain(stage.runtime)
    return runner_id


def sealed_in(runtime: Runtime, model: type[Model], name: str) -> list[bytes]:
    column = getattr(model, name)
    with runtime.db.reading() as session:
        return list(session.scalars(select(column).where(column.is_not(None))))


def test_every_column_of_bytes_is_one_that_rotation_knows() -> None:
    columns = {
        (mapper.class_, column.name)
        for mapper in Model.registry.mappers
        for column in mapper.columns
        if isinstance(column.type, LargeBinary)
    }

    known = {
        (m, n) for kind in (SEALED, IN_VAULTS) for m, ns in kind.items() for n in ns
    }
    assert known == columns


def test_everything_moves_to_the_newest_key(stage: Stage, runner_id: int) -> None:
    count = rotate(replace(stage.runtime, sealer=Sealer([NEW, KEY])))

    newest = Sealer([NEW])
    found = {
        (model, name): sealed_in(stage.runtime, model, name)
        for model, names in SEALED.items()
        for name in names
    }
    assert [where for where, secrets in found.items() if not secrets] == []
    assert sum(map(len, found.values())) == count
    assert all(newest.open(one) for secrets in found.values() for one in secrets)
    with stage.runtime.db.reading() as session:
        vault = newest.vault(session.get_one(Runner, runner_id).vault_key)
        hashes = newest.lookup_hashes(f"runner{runner_id}@example.org")
        assert store.by_address(session, hashes) is not None
    for model, names in IN_VAULTS.items():
        for name in names:
            secrets = sealed_in(stage.runtime, model, name)
            assert secrets
            assert all(map(vault.open_file, secrets))
    assert exports.fetch(replace(stage.runtime, sealer=newest), runner_id)


def test_a_second_rotation_moves_as_many(stage: Stage, runner_id: int) -> None:
    both = replace(stage.runtime, sealer=Sealer([NEW, KEY]))

    assert rotate(both) == rotate(replace(both, sealer=Sealer([NEW])))


def test_more_rows_than_fit_into_one_step_all_move(stage: Stage) -> None:
    with stage.runtime.db.transaction() as session:
        session.add_all(
            Runner(
                created_at=stage.clock(),
                vault_key=stage.runtime.sealer.new_vault_key(),
                preferences={},
            )
            for _ in range(405)
        )

    count = rotate(replace(stage.runtime, sealer=Sealer([NEW, KEY])))

    assert count == 405
    newest = Sealer([NEW])
    assert all(map(newest.open, sealed_in(stage.runtime, Runner, "vault_key")))


def test_a_lost_key_changes_nothing(stage: Stage, runner_id: int) -> None:
    stranger = replace(stage.runtime, sealer=Sealer([NEW]))
    before = sealed_in(stage.runtime, Connection, "access_token")

    with pytest.raises(KeyLost, match="none was changed"):
        rotate(stranger)

    assert sealed_in(stage.runtime, Connection, "access_token") == before
    with stage.runtime.db.reading() as session:
        runner = session.get_one(Runner, runner_id)
    expected = f"runner{runner_id}@example.org"
    assert stage.runtime.sealer.open(runner.email or b"") == expected


def lost_key(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command find the tables with another key than sealed them."""
    monkeypatch.setenv("MOODMILES_DATABASE_URL", stage.runtime.settings.database_url)
    monkeypatch.setenv("MOODMILES_SECRET_KEYS", NEW)


@pytest.mark.parametrize("words", ["keys rotate", "runner export 1 one.zip"])
def test_commands_say_plainly_that_a_key_is_lost(
    stage: Stage,
    words: str,
    runner_id: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost_key(stage, monkeypatch)

    code = main(words.split())

    said = capsys.readouterr().err
    assert code == 1
    assert "MOODMILES_SECRET_KEYS" in said
    assert said.count("\n") == 1
    assert not Path("one.zip").exists()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (KEY, "ok   keys          open everything"),
        (NEW, "fix  keys          The data of 1 runner(s) cannot be opened"),
    ],
)
def test_the_doctor_tries_the_keys(
    stage: Stage, runner_id: int, key: str, said: str
) -> None:
    settings = stage.runtime.settings.model_copy(
        update={"secret_keys": [SecretStr(key)]}
    )

    [finding] = examine(settings, ["keys"])

    assert str(finding).startswith(said)
