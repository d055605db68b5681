"""Whoever is brought in has one way in, proven by them: Strava, or a mailed link."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update
from typing_extensions import override

from sync import account_state
from sync.crypto import Sealer
from sync.errors import ConsentMissing
from sync.models import Consent, Runner
from sync.portability.archive import InvalidExport
from sync.portability.import_runner import import_runner
from sync.runners import address, connect, consents, disconnect, sign_in, store
from sync.runners.rules import ConsentChoices
from sync.simulator import grants
from sync.vocabulary import ConsentKind, SealedColumn
from tests.conftest import KEY
from tests.support.harness import ALL_CONSENTS, SCOPE, Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.second_instance import (
    count_rows,
    open_second_instance,
    read_export,
    write_export,
)
from tests.support.simulated_kill import SimulatedKill


@pytest.fixture
def second_instance(
    harness: Harness, sqlite_template: Path, tmp_path: Path
) -> Iterator[Harness]:
    with open_second_instance(harness, sqlite_template, tmp_path) as other:
        yield other


def test_who_left_strava_gets_in_by_a_mail(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    disconnect.disconnect(harness.runtime, runner_id)
    file = write_export(tmp_path, read_export(harness.runtime, runner_id))

    brought = import_runner(second_instance.runtime, file)

    assert (brought.by_strava, brought.is_mailed) == (False, True)
    token = read_pending_token(second_instance.runtime, "confirm_address")
    assert (
        address.confirm_address(second_instance.runtime, token=token)
        == brought.runner_id
    )
    sign_in.enqueue_sign_in_link(
        second_instance.runtime,
        email=f"runner{runner_id}@example.org",
        browser="browser",
    )
    assert read_pending_token(second_instance.runtime, "sign_in_link")


def test_who_left_strava_and_agreed_to_an_older_text_gets_in_by_a_mail(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    disconnect.disconnect(harness.runtime, runner_id)
    with harness.runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))
    file = write_export(tmp_path, read_export(harness.runtime, runner_id))

    brought = import_runner(second_instance.runtime, file)

    assert brought.is_mailed
    token = read_pending_token(second_instance.runtime, "confirm_address")
    assert (
        address.confirm_address(second_instance.runtime, token=token)
        == brought.runner_id
    )
    with second_instance.runtime.db.read_only() as session:
        assert not account_state.may_collect_now(session, brought.runner_id)


def test_without_the_mail_that_lets_them_in_nobody_comes(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    disconnect.disconnect(harness.runtime, runner_id)
    file = write_export(tmp_path, read_export(harness.runtime, runner_id))
    before = count_rows(second_instance.runtime)

    class Dies(Sealer):
        @override
        def seal(self, text: str, column: SealedColumn) -> bytes:
            if "@" in text:
                raise SimulatedKill
            return super().seal(text, column)

    dying = replace(second_instance.runtime, sealer=Dies([KEY]))
    with pytest.raises(SimulatedKill):
        import_runner(dying, file)

    assert count_rows(second_instance.runtime) == before


@pytest.mark.parametrize("length", [201, 254])
def test_an_address_may_be_as_long_as_here(
    harness: Harness,
    runner_id: int,
    second_instance: Harness,
    tmp_path: Path,
    length: int,
) -> None:
    disconnect.disconnect(harness.runtime, runner_id)
    host = f"{'b' * 63}.{'c' * 63}.{'d' * 63}.org"
    long = f"{'a' * 60}@{host[len(host) + 61 - length :]}"
    files = read_export(harness.runtime, runner_id)
    account = json.loads(files["account.json"]) | {"email": long}
    files["account.json"] = json.dumps(account).encode()

    brought = import_runner(second_instance.runtime, write_export(tmp_path, files))

    assert len(long) == length
    assert brought.is_mailed


def test_a_file_gives_nobody_an_address_and_a_strava_account(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    brought = import_runner(
        second_instance.runtime,
        write_export(tmp_path, read_export(harness.runtime, runner_id)),
    )

    with second_instance.runtime.db.read_only() as session:
        runner = session.get_one(Runner, brought.runner_id)
    assert (runner.claimed_athlete_id, runner.athlete_id) == (7, None)
    assert (runner.email, runner.email_hash) == (None, None)
    assert not brought.is_mailed


def test_a_file_is_no_consent_given_here(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    file = write_export(tmp_path, read_export(harness.runtime, runner_id))
    brought = import_runner(second_instance.runtime, file)
    there = second_instance.runtime

    with there.db.read_only() as session:
        assert not account_state.may_collect_now(session, brought.runner_id)
        assert not store.has_consent(session, brought.runner_id, ConsentKind.MOOD)
    with pytest.raises(ConsentMissing):
        link_by_strava(second_instance, consents=None)
    linked = link_by_strava(second_instance, consents=ALL_CONSENTS)

    assert linked == brought.runner_id
    with there.db.read_only() as session:
        assert account_state.may_collect_now(session, brought.runner_id)
        assert store.has_consent(session, brought.runner_id, ConsentKind.MOOD)


def link_by_strava(harness: Harness, *, consents: ConsentChoices | None) -> int:
    harness.add_athlete()
    url = connect.begin_link(harness.runtime, browser="b", given_consents=consents)
    with harness.world.transaction():
        code = grants.issue_code(harness.world, 7, SCOPE)
    state = parse_qs(urlsplit(url).query)["state"][0]
    return connect.finish_link(
        harness.runtime, state=state, browser="b", code=code, scope=SCOPE
    ).runner_id


def test_who_comes_by_a_mail_agrees_before_anything_is_stored(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    disconnect.disconnect(harness.runtime, runner_id)
    file = write_export(tmp_path, read_export(harness.runtime, runner_id))
    there = second_instance.runtime
    brought = import_runner(there, file)

    signed_in = sign_in.find_signed_in(there, sign_in.sign_in(there, brought.runner_id))
    outdated = consents.load_outdated(there, brought.runner_id)
    consents.renew_consents(there, brought.runner_id, list(outdated))

    assert signed_in
    assert signed_in.must_agree
    assert ConsentKind.MOOD in outdated
    assert consents.load_outdated(there, brought.runner_id) == {}


@pytest.mark.parametrize("kinds", [[], ["mood"], ["adult"], ["strava", "mail"]])
def test_a_file_whose_runner_agreed_to_nothing_is_refused(
    harness: Harness,
    runner_id: int,
    second_instance: Harness,
    tmp_path: Path,
    kinds: list[str],
) -> None:
    files = read_export(harness.runtime, runner_id)
    given = [row for row in json.loads(files["consents.json"]) if row["kind"] in kinds]
    files["consents.json"] = json.dumps(given).encode()
    before = count_rows(second_instance.runtime)

    with pytest.raises(InvalidExport, match="agreed to nothing"):
        import_runner(second_instance.runtime, write_export(tmp_path, files))

    assert count_rows(second_instance.runtime) == before
