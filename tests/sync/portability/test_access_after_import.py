"""Whoever is brought in has one way in, proven by them: Strava, or a mailed link."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update
from typing_extensions import override

from sync import account_state
from sync.crypto import Sealer
from sync.models import Consent, Runner
from sync.portability.import_runner import bring_in
from sync.runners import address, disconnect, sign_in
from tests.conftest import KEY
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in
from tests.support.second_instance import another, counts, exported, zipped
from tests.sync.runners.test_disconnect import Killed


@pytest.fixture
def there(stage: Stage, sqlite_template: Path, tmp_path: Path) -> Iterator[Stage]:
    with another(stage, sqlite_template, tmp_path) as other:
        yield other


def test_who_left_strava_gets_in_by_a_mail(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    disconnect.disconnect(stage.runtime, runner_id)
    file = zipped(tmp_path, exported(stage.runtime, runner_id))

    brought = bring_in(there.runtime, file)

    assert (brought.by_strava, brought.is_mailed) == (False, True)
    token = token_in(there.runtime, "confirm_address")
    assert address.confirm(there.runtime, token=token) == brought.runner_id
    sign_in.send_link(
        there.runtime, email=f"runner{runner_id}@example.org", browser="browser"
    )
    assert token_in(there.runtime, "sign_in_link")


def test_who_left_strava_and_agreed_to_an_older_text_gets_in_by_a_mail(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    disconnect.disconnect(stage.runtime, runner_id)
    with stage.runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))
    file = zipped(tmp_path, exported(stage.runtime, runner_id))

    brought = bring_in(there.runtime, file)

    assert brought.is_mailed
    token = token_in(there.runtime, "confirm_address")
    assert address.confirm(there.runtime, token=token) == brought.runner_id
    with there.runtime.db.reading() as session:
        assert not account_state.may_collect_now(session, brought.runner_id)


def test_without_the_mail_that_lets_them_in_nobody_comes(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    disconnect.disconnect(stage.runtime, runner_id)
    file = zipped(tmp_path, exported(stage.runtime, runner_id))
    before = counts(there.runtime)

    class Dies(Sealer):
        @override
        def seal(self, text: str) -> bytes:
            if "@" in text:
                raise Killed
            return super().seal(text)

    dying = replace(there.runtime, sealer=Dies([KEY]))
    with pytest.raises(Killed):
        bring_in(dying, file)

    assert counts(there.runtime) == before


@pytest.mark.parametrize("length", [201, 254])
def test_an_address_may_be_as_long_as_here(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path, length: int
) -> None:
    disconnect.disconnect(stage.runtime, runner_id)
    host = f"{'b' * 63}.{'c' * 63}.{'d' * 63}.org"
    long = f"{'a' * 60}@{host[len(host) + 61 - length :]}"
    files = exported(stage.runtime, runner_id)
    account = json.loads(files["account.json"]) | {"email": long}
    files["account.json"] = json.dumps(account).encode()

    brought = bring_in(there.runtime, zipped(tmp_path, files))

    assert len(long) == length
    assert brought.is_mailed


def test_a_file_gives_nobody_an_address_and_a_strava_account(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    brought = bring_in(
        there.runtime, zipped(tmp_path, exported(stage.runtime, runner_id))
    )

    with there.runtime.db.reading() as session:
        runner = session.get_one(Runner, brought.runner_id)
    assert (runner.athlete_id, runner.email, runner.email_hash) == (7, None, None)
    assert not brought.is_mailed
