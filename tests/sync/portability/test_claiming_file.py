"""What a file claims of somebody else's stays in the import, and out of their way."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from sync import account_state
from sync.crypto import Vault
from sync.errors import ConsentMissing
from sync.models import Answer, Decision, Mail, Run, Runner, Survey
from sync.portability.import_runner import import_runner
from sync.runners import connect
from sync.simulator import grants
from sync.surveys.answering.answer import record_run_answer
from sync.vocabulary import RunSource
from tests.conftest import prepare_empty_database
from tests.support.harness import SCOPE, Harness
from tests.support.second_instance import (
    open_second_instance,
    read_export,
    write_export,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return prepare_empty_database(request, request.param)


@pytest.fixture
def second_instance(
    harness: Harness, sqlite_template: Path, tmp_path: Path
) -> Iterator[Harness]:
    with open_second_instance(harness, sqlite_template, tmp_path) as other:
        yield other


@dataclass(frozen=True)
class ClaimedRun:
    """A run that a file claimed before Strava told of it."""

    harness: Harness
    owner_id: int
    importer_id: int
    run_id: int

    def load_rows(self, table: type[Any], runner_id: int) -> list[Any]:
        with self.harness.runtime.db.read_only() as session:
            rows = session.scalars(select(table).where(table.runner_id == runner_id))
            return list(rows)


def open_vault(harness: Harness, runner_id: int) -> Vault:
    with harness.runtime.db.read_only() as session:
        runner = session.get_one(Runner, runner_id)
    return harness.runtime.sealer.open_vault(runner.vault_key)


def claim(files: dict[str, bytes], source_id: int, vault: Vault) -> dict[str, bytes]:
    """Let a file's first run, survey and answer be those about another's run.

    Its maker has even the secret that makes her pairing keys, as in her own export.
    """
    tables = {name: json.loads(files[f"{name}.json"]) for name in ("runs", "surveys")}
    tables["answers"] = json.loads(files["answers.json"])
    tables["delays"] = json.loads(files["delays.json"])
    run = tables["runs"][0] | {"source_id": source_id, "distance_m": 1.0}
    key = vault.pairing_key(RunSource.STRAVA, source_id)
    about_run = {"run_id": None, "pairing_key": key}
    survey = tables["surveys"][0] | about_run | {"id": 10_000}
    answer = next(row for row in tables["answers"] if row["kind"] == "run")
    changed = {
        "account": json.loads(files["account.json"])
        | {"strava_athlete_id": None, "pairing_secret": vault.pairing_secret},
        "runs": [run | {"duplicate_of": None}],
        "surveys": [survey],
        "answers": [answer | about_run | {"survey_id": None}],
        "decisions": [],
        "draws": [],
        "delays": [tables["delays"][0] | about_run],
        "mails": [],
    }
    return files | {
        f"{name}.json": json.dumps(rows).encode() for name, rows in changed.items()
    }


@pytest.fixture
def claimed_run(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> ClaimedRun:
    """Import a file that claims the run which another runner ends an hour later."""
    owner = second_instance.add_athlete(8)
    owner_id = harness.link_runner(owner)
    harness.process_all_due()
    harness.advance_clock(hours=20)
    run = harness.finish_run(owner, distance_m=9000.0, ended_minutes_ago=5)
    vault = open_vault(harness, owner_id)
    files = claim(read_export(harness.runtime, runner_id), run.id, vault)

    imported = import_runner(harness.runtime, write_export(tmp_path, files))
    harness.deliver_event(owner, run.id, "create")
    harness.process_all_due()

    return ClaimedRun(harness, owner_id, imported.runner_id, run.id)


def test_her_run_appears_as_strava_tells_it(claimed_run: ClaimedRun) -> None:
    [run] = claimed_run.load_rows(Run, claimed_run.owner_id)

    assert run.source_id == claimed_run.run_id
    assert run.distance_m == pytest.approx(9000, abs=1)


def test_she_is_asked_about_it(claimed_run: ClaimedRun) -> None:
    [decision] = claimed_run.load_rows(Decision, claimed_run.owner_id)
    [survey] = claimed_run.load_rows(Survey, claimed_run.owner_id)

    assert decision.verdict == "send"
    assert [
        mail.kind
        for mail in claimed_run.load_rows(Mail, claimed_run.owner_id)
        if mail.survey_id == survey.id and mail.due_at
    ][:1] == ["survey"]


def test_her_answer_is_saved(claimed_run: ClaimedRun) -> None:
    [run] = claimed_run.load_rows(Run, claimed_run.owner_id)

    record_run_answer(
        claimed_run.harness.runtime,
        runner_id=claimed_run.owner_id,
        run_id=run.id,
        values={"mood": 1},
    )

    [answer] = claimed_run.load_rows(Answer, claimed_run.owner_id)
    assert answer.run_id == run.id


def test_his_import_holds_his_own_alone(claimed_run: ClaimedRun) -> None:
    [run] = claimed_run.load_rows(Run, claimed_run.importer_id)
    [survey] = claimed_run.load_rows(Survey, claimed_run.importer_id)
    [answer] = claimed_run.load_rows(Answer, claimed_run.importer_id)

    assert (run.source_id, run.distance_m) == (claimed_run.run_id, 1)
    assert {survey.run_id, answer.run_id} <= {run.id, None}


def test_a_claim_of_ones_own_next_run_gives_way_to_stravas_word(
    harness: Harness, runner_id: int, tmp_path: Path
) -> None:
    athlete = harness.world.athletes.get(7)
    assert athlete
    harness.advance_clock(hours=20)
    run = harness.finish_run(athlete, distance_m=9000.0, ended_minutes_ago=5)
    vault = open_vault(harness, runner_id)
    files = claim(read_export(harness.runtime, runner_id), run.id, vault)
    files |= dict.fromkeys(("surveys.json", "answers.json", "notes.json"), b"[]")
    import_runner(harness.runtime, write_export(tmp_path, files), runner_id=runner_id)

    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()

    with harness.runtime.db.read_only() as session:
        stored = session.scalars(select(Run).where(Run.source_id == run.id)).one()
        decision = session.get_one(Decision, stored.id)
    assert stored.distance_m == pytest.approx(9000, abs=1)
    assert (stored.from_file, stored.imported, stored.hidden_at) == (False, False, None)
    assert decision.verdict == "send"


def build_stranger_file(
    harness: Harness, runner_id: int, folder: Path, *, athlete_id: int
) -> Path:
    """Write an export that gives its runner somebody else's Strava account."""
    files = read_export(harness.runtime, runner_id)
    account = json.loads(files["account.json"]) | {"strava_athlete_id": athlete_id}
    return write_export(folder, files | {"account.json": json.dumps(account).encode()})


def test_a_file_signs_nobody_in_who_never_agreed_here(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    import_runner(
        second_instance.runtime,
        build_stranger_file(harness, runner_id, tmp_path, athlete_id=8),
    )
    athlete = second_instance.add_athlete(8)

    with pytest.raises(ConsentMissing):
        sign_in_by_strava(second_instance, athlete.id)

    with second_instance.runtime.db.read_only() as session:
        assert session.scalars(select(Runner.athlete_id)).all() == [None]


def test_two_files_of_one_athlete_join_nobody(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    file = build_stranger_file(harness, runner_id, tmp_path, athlete_id=8)
    first = import_runner(second_instance.runtime, file)
    with second_instance.runtime.db.transaction() as session:
        session.get_one(Runner, first.runner_id).claimed_athlete_id = 9
    second = import_runner(second_instance.runtime, file)
    with second_instance.runtime.db.transaction() as session:
        session.get_one(Runner, first.runner_id).claimed_athlete_id = 8

    linked = second_instance.link_runner(second_instance.add_athlete(8))

    assert linked not in {first.runner_id, second.runner_id}


def test_what_was_agreed_to_elsewhere_is_asked_anew_here(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    file = write_export(tmp_path, read_export(harness.runtime, runner_id))

    brought = import_runner(second_instance.runtime, file)

    with second_instance.runtime.db.read_only() as session:
        assert not account_state.may_collect_now(session, brought.runner_id)
        outdated = account_state.outdated_consents(session, brought.runner_id)
    assert set(outdated) == {"strava", "mood", "mail", "adult"}
    athlete = second_instance.world.athletes.get(7)
    assert athlete
    assert second_instance.link_runner(athlete) == brought.runner_id
    with second_instance.runtime.db.read_only() as session:
        assert account_state.may_collect_now(session, brought.runner_id)


def sign_in_by_strava(harness: Harness, athlete_id: int) -> int:
    """Come back from Strava's page without having agreed to anything here."""
    url = connect.begin_link(harness.runtime, browser="browser", given_consents=None)
    state = parse_qs(urlsplit(url).query)["state"][0]
    with harness.world.transaction():
        code = grants.issue_code(harness.world, athlete_id, SCOPE)
    linked = connect.finish_link(
        harness.runtime, state=state, browser="browser", code=code, scope=SCOPE
    )
    return linked.runner_id
