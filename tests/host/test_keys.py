"""Rotating keys: afterwards the old key opens nothing, and nothing is lost."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import LargeBinary, select
from typing_extensions import override

from host.cli import main
from host.doctor import run_checks
from host.keys import SEALED_COLUMNS, find_column, rotate_keys, rotate_vaults
from sync.crypto import KeyLost, Sealer, Vault
from sync.models import (
    Answer,
    AnswerNote,
    Connection,
    Export,
    FigureDecision,
    Model,
    Runner,
)
from sync.portability import exports
from sync.runners import address, store
from sync.runtime import Runtime
from sync.vocabulary import SealedColumn
from tests.conftest import KEY
from tests.support.harness import Harness
from tests.support.runner_activity import add_activity
from tests.support.simulated_kill import SimulatedKill

# What lies under a runner's own vault key, which moves and need not change.
IN_VAULTS: Mapping[type[Model], tuple[str, ...]] = {
    Answer: ("sealed",),
    AnswerNote: ("sealed",),
    FigureDecision: ("sealed",),
    Export: ("sealed",),
}
NEW = "another key for tests, newer than it"


@pytest.fixture
def runner_id(harness: Harness) -> int:
    """Link a runner with a secret of every kind, an export among them."""
    athlete = harness.add_athlete()
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    add_activity(harness, athlete, runner_id)
    address.request_confirmation(
        harness.runtime, runner_id=runner_id, email="new@example.org"
    )
    exports.request_export(harness.runtime, runner_id)
    exports.process_due(harness.runtime)
    return runner_id


def read_sealed(runtime: Runtime, model: type[Model], name: str) -> list[bytes]:
    column = getattr(model, name)
    with runtime.db.read_only() as session:
        return list(session.scalars(select(column).where(column.is_not(None))))


def test_every_column_of_bytes_is_one_that_rotation_knows() -> None:
    columns = {
        (mapper.class_, column.name)
        for mapper in Model.registry.mappers
        for column in mapper.columns
        if isinstance(column.type, LargeBinary)
    }

    known = {
        (m, n)
        for kind in (SEALED_COLUMNS, IN_VAULTS)
        for m, ns in kind.items()
        for n in ns
    }
    assert known == columns


def test_everything_moves_to_the_newest_key(harness: Harness, runner_id: int) -> None:
    count = rotate_keys(replace(harness.runtime, sealer=Sealer([NEW, KEY])))

    newest = Sealer([NEW])
    secrets_by_table = {
        (model, name): read_sealed(harness.runtime, model, name)
        for model, names in SEALED_COLUMNS.items()
        for name in names
    }
    assert [where for where, secrets in secrets_by_table.items() if not secrets] == []
    assert sum(map(len, secrets_by_table.values())) == count
    assert all(
        newest.open(one, find_column(*where))
        for where, secrets in secrets_by_table.items()
        for one in secrets
    )
    with harness.runtime.db.read_only() as session:
        vault = newest.open_vault(session.get_one(Runner, runner_id).vault_key)
        hashes = newest.lookup_hashes(f"runner{runner_id}@example.org")
        assert store.find_by_address(session, hashes) is not None
    for model, names in IN_VAULTS.items():
        for name in names:
            secrets = read_sealed(harness.runtime, model, name)
            assert secrets
            column = find_column(model, name)
            assert all(vault.open_bytes(secret, column) for secret in secrets)
    assert exports.load_export(replace(harness.runtime, sealer=newest), runner_id)


def test_a_second_rotation_moves_as_many(harness: Harness, runner_id: int) -> None:
    both = replace(harness.runtime, sealer=Sealer([NEW, KEY]))

    assert rotate_keys(both) == rotate_keys(replace(both, sealer=Sealer([NEW])))


def test_more_rows_than_fit_into_one_step_all_move(harness: Harness) -> None:
    with harness.runtime.db.transaction() as session:
        session.add_all(
            Runner(
                created_at=harness.clock(),
                vault_key=harness.runtime.sealer.new_vault_key(),
            )
            for _ in range(405)
        )

    count = rotate_keys(replace(harness.runtime, sealer=Sealer([NEW, KEY])))

    assert count == 405
    newest = Sealer([NEW])
    assert all(
        newest.open(secret, SealedColumn.VAULT_KEY)
        for secret in read_sealed(harness.runtime, Runner, "vault_key")
    )


def test_a_lost_key_changes_nothing(harness: Harness, runner_id: int) -> None:
    other_browser = replace(harness.runtime, sealer=Sealer([NEW]))
    before = read_sealed(harness.runtime, Connection, "access_token")

    with pytest.raises(KeyLost, match="none was changed"):
        rotate_keys(other_browser)

    assert read_sealed(harness.runtime, Connection, "access_token") == before
    with harness.runtime.db.read_only() as session:
        runner = session.get_one(Runner, runner_id)
    expected = f"runner{runner_id}@example.org"
    assert (
        harness.runtime.sealer.open(runner.email or b"", SealedColumn.ADDRESS)
        == expected
    )


def replace_key(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command find the tables with another key than sealed them."""
    monkeypatch.setenv("MOODMILES_DATABASE_URL", harness.runtime.settings.database_url)
    monkeypatch.setenv("MOODMILES_SECRET_KEYS", NEW)


@pytest.mark.parametrize("arguments", ["keys rotate", "runner export 1 one.zip"])
def test_commands_say_plainly_that_a_key_is_lost(
    harness: Harness,
    arguments: str,
    runner_id: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    replace_key(harness, monkeypatch)

    code = main(arguments.split())

    errors = capsys.readouterr().err
    assert code == 1
    assert "MOODMILES_SECRET_KEYS" in errors
    assert errors.count("\n") == 1
    assert not Path("one.zip").exists()


@pytest.mark.parametrize(
    ("key", "errors"),
    [
        (KEY, "ok   keys          open everything"),
        (NEW, "fix  keys          The data of 1 runner(s) cannot be opened"),
    ],
)
def test_the_doctor_tries_the_keys(
    harness: Harness, runner_id: int, key: str, errors: str
) -> None:
    settings = harness.runtime.settings.model_copy(
        update={"secret_keys": [SecretStr(key)]}
    )

    [finding] = run_checks(settings, ["keys"])

    assert str(finding).startswith(errors)


class KilledResealingVault(Vault):
    """The process dies as it seals what is left of a runner's answers anew."""

    left = 2

    @override
    def reseal(self, sealed: bytes, column: SealedColumn) -> bytes:
        if self.left == 0:
            raise SimulatedKill
        KilledResealingVault.left -= 1
        return super().reseal(sealed, column)


class KilledResealingSealer(Sealer):
    @override
    def open_vault(self, sealed_key: bytes) -> Vault:
        return KilledResealingVault(self.open_vault_secrets(sealed_key))


def open_contents(runtime: Runtime, runner_id: int) -> dict[str, object]:
    """Open everything that lies under a runner's own key."""
    with runtime.db.read_only() as session:
        vault = store.open_vault(session, runtime.sealer, runner_id)
    return {
        f"{model.__name__}.{name}": sorted(
            vault.open_bytes(secret, find_column(model, name))
            for secret in read_sealed(runtime, model, name)
        )
        for model, names in IN_VAULTS.items()
        for name in names
    }


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_new_vaults_leave_nothing_to_who_knew_the_old_ones(
    harness: Harness, runner_id: int
) -> None:
    with harness.runtime.db.read_only() as session:
        stolen = store.open_vault(session, harness.runtime.sealer, runner_id)
        paired = set(session.scalars(select(Answer.pairing_key)).all())
    contents = open_contents(harness.runtime, runner_id)
    lengths = {
        model: set(map(len, read_sealed(harness.runtime, model, "sealed")))
        for model in IN_VAULTS
    }

    assert rotate_vaults(harness.runtime) == 1

    assert open_contents(harness.runtime, runner_id) == contents
    for model, names in IN_VAULTS.items():
        for name in names:
            secrets = read_sealed(harness.runtime, model, name)
            assert set(map(len, secrets)) == lengths[model]
            for secret in secrets:
                with pytest.raises(KeyLost):
                    stolen.open_bytes(secret, find_column(model, name))
    with harness.runtime.db.read_only() as session:
        assert set(session.scalars(select(Answer.pairing_key)).all()) == paired
        vault = store.open_vault(session, harness.runtime.sealer, runner_id)
    assert vault.pairing_key("strava", 1) == stolen.pairing_key("strava", 1)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_new_vaults_that_were_begun_open_meanwhile_and_are_finished(
    harness: Harness, runner_id: int
) -> None:
    contents = open_contents(harness.runtime, runner_id)
    dying = replace(harness.runtime, sealer=KilledResealingSealer([KEY]))
    KilledResealingVault.left = 2
    with pytest.raises(SimulatedKill):
        rotate_vaults(dying)
    assert open_contents(harness.runtime, runner_id) == contents

    rotate_vaults(harness.runtime)

    assert open_contents(harness.runtime, runner_id) == contents
    with harness.runtime.db.read_only() as session:
        runner = session.get_one(Runner, runner_id)
    secrets = harness.runtime.sealer.open_vault_secrets(runner.vault_key)
    present = Vault(replace(secrets, former_answers=None))
    for model, names in IN_VAULTS.items():
        for name in names:
            column = find_column(model, name)
            for secret in read_sealed(harness.runtime, model, name):
                assert present.is_current(secret, column)
    assert secrets.former_answers is None


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_page_that_has_read_the_key_opens_what_it_reads_then(
    harness: Harness, runner_id: int
) -> None:
    with harness.runtime.db.read_only() as session:
        vault = store.open_vault(session, harness.runtime.sealer, runner_id)

        rotate_vaults(harness.runtime)

        sealed = session.scalars(select(Answer.sealed)).all()
        assert sealed
        assert all(vault.open_all(sealed))


@pytest.mark.parametrize("first_byte", [b"g", b"\x01"])
def test_what_no_key_opens_is_passed_over_and_told(
    harness: Harness,
    runner_id: int,
    first_byte: bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    later = harness.add_athlete(8)
    add_activity(harness, later, harness.link_runner(later))
    spoiled = first_byte + b"as sealed by a release before" * 4
    with harness.runtime.db.transaction() as session:
        answer = session.scalars(
            select(Answer).where(Answer.runner_id == runner_id).limit(1)
        ).one()
        answer.sealed = spoiled
        is_good = Answer.id != answer.id
    with harness.runtime.db.read_only() as session:
        before = set(session.scalars(select(Answer.sealed).where(is_good)).all())

    assert rotate_vaults(harness.runtime) == 2

    told = capsys.readouterr().err
    assert told.count("stay as they are") == 1
    assert "1 answers, sentences or exports stay as they are" in told
    with harness.runtime.db.read_only() as session:
        after = set(session.scalars(select(Answer.sealed).where(is_good)).all())
        left = session.scalars(select(Answer.sealed).where(~is_good)).all()
        keys = session.scalars(select(Runner.vault_key)).all()
    assert len(after) == len(before)
    assert not after & before
    assert left == [spoiled]
    for key in keys:
        secrets = harness.runtime.sealer.open_vault_secrets(key)
        assert secrets.former_answers is None


def test_a_secret_in_an_unknown_format_does_not_stop_the_others(
    harness: Harness, runner_id: int, capsys: pytest.CaptureFixture[str]
) -> None:
    count = rotate_keys(harness.runtime)
    spoiled = b"g" + bytes(319)
    with harness.runtime.db.transaction() as session:
        session.get_one(Runner, runner_id).email = spoiled

    both = replace(harness.runtime, sealer=Sealer([NEW, KEY]))
    assert rotate_keys(both) == count - 1

    assert "1 secrets stay as they are" in capsys.readouterr().err
    with harness.runtime.db.read_only() as session:
        runner = session.get_one(Runner, runner_id)
    assert runner.email == spoiled
    vault = Sealer([NEW]).open_vault(runner.vault_key)
    assert not vault.has_former_key


def test_the_command_gives_new_vaults_when_asked(
    harness: Harness,
    runner_id: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MOODMILES_DATABASE_URL", harness.runtime.settings.database_url)
    monkeypatch.setenv("MOODMILES_SECRET_KEYS", KEY)
    before = open_contents(harness.runtime, runner_id)
    sealed = read_sealed(harness.runtime, Answer, "sealed")

    assert main(["keys", "rotate"]) == 0
    assert read_sealed(harness.runtime, Answer, "sealed") == sealed
    assert main(["keys", "rotate", "--vaults"]) == 0

    assert "The data of 1 runners are sealed with new keys." in capsys.readouterr().out
    assert not set(read_sealed(harness.runtime, Answer, "sealed")) & set(sealed)
    assert open_contents(harness.runtime, runner_id) == before
