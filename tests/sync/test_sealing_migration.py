"""Rows of before are sealed anew, once, however often that is killed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from secrets import token_bytes, token_hex
from time import monotonic, sleep
from typing import Any

import pytest
from alembic import command
from pydantic import SecretStr
from sqlalchemy import Engine, LargeBinary, Table, delete, event, select, text

from sync.crypto import SEALED_BYTES, Sealer, Vault
from sync.database import Database, open_engine
from sync.errors import MoodmilesError, NotConfigured
from sync.models import Model, Runner
from sync.runners import retained_runs, signed_links
from sync.runtime import Runtime
from sync.settings import Settings
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from sync.surveys import unsubscribe
from sync.vocabulary import SealedColumn, SignedLinkPurpose
from tests.conftest import KEY
from tests.support.former_seals import (
    make_former_pairing_key,
    make_former_stop_token,
    seal_formerly,
    seal_in_former_vault,
    seal_json_in_former_vault,
)
from tests.support.paths import ROOT
from tests.support.recording_queue import RecordingQueue
from tests.sync.test_migrations import build_config, reflect_tables

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
FORMER_KEY = "a key of the year before that sealed some"
KEYS = f"{KEY},{FORMER_KEY}"
N_ANSWERS = 2300
FIRST_STRAVA_ID = 15_830_000_000
ADDRESS = "ada@example.org"
ZIP = b"PK" + token_bytes(50_000) + b"\0\x80\0"
DECISION = {"sentence": "mileage.none", "facts": {"n": 30}}


@pytest.fixture(autouse=True)
def host_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODMILES_SECRET_KEYS", KEYS)


@pytest.fixture(params=["sqlite", "postgresql"])
def former_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the tables of the release before, with two runners and all they sealed."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'former.sqlite3'}"
        fill_former_tables(url)
        yield url
        return
    shared = open_engine(request.getfixturevalue("postgres_url"))
    apart = shared.execution_options(isolation_level="AUTOCOMMIT")
    name = f"former_{token_hex(4)}"
    with apart.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        url = shared.url.set(database=name).render_as_string(False)
        fill_former_tables(url)
        yield url
        connection.execute(text(f"DROP DATABASE {name} (FORCE)"))
    shared.dispose()


def fill_former_tables(url: str) -> None:
    command.upgrade(build_config(url), "0003")
    engine = open_engine(url)
    tables = reflect_tables(engine)
    for runner_id, host_key in ((1, KEY), (2, FORMER_KEY)):
        FormerRunner(engine, tables, runner_id, host_key).add()
    engine.dispose()


class FormerRunner:
    """A runner as the release before stored one."""

    def __init__(
        self, engine: Engine, tables: Mapping[str, Table], runner_id: int, host_key: str
    ) -> None:
        self.engine = engine
        self.tables = tables
        self.runner_id = runner_id
        self.host_key = host_key
        self.vault_key = token_bytes(32)

    def add(self) -> None:
        self.insert(
            "runner",
            {
                "id": self.runner_id,
                "created_at": START,
                "vault_key": seal_formerly(self.host_key, self.vault_key.hex()),
                "email": seal_formerly(self.host_key, ADDRESS),
                "zone": "UTC",
                "preferences": {},
                "data_version": 1,
            },
        )
        self.insert(
            "connection",
            {
                "runner_id": self.runner_id,
                "scope": "read",
                "access_token": seal_formerly(self.host_key, "access"),
                "refresh_token": seal_formerly(self.host_key, "refresh"),
                "expires_at": START,
                "linked_at": START,
            },
        )
        self.insert(
            "mail_link",
            {
                "token_hash": token_hex(32),
                "runner_id": self.runner_id,
                "purpose": "confirm",
                "email": seal_formerly(self.host_key, ADDRESS),
                "created_at": START,
                "expires_at": START,
            },
        )
        self.insert(
            "mail",
            {
                "dedupe_key": f"reconnect:{self.runner_id}",
                "runner_id": self.runner_id,
                "kind": "reconnect",
                "sealed": seal_formerly(self.host_key, '{"to":null}'),
                "message_id": token_hex(16),
                "created_at": START,
                "due_at": START,
                "stale_at": START,
                "attempts": 0,
            },
        )
        self.add_answers()
        self.insert(
            "figure_decision",
            {
                "runner_id": self.runner_id,
                "panel": "mileage",
                "milestone": 30,
                "digest": "d" * 32,
                "rules": 1,
                "data_version": 1,
                "sealed": seal_json_in_former_vault(self.vault_key, DECISION),
                "decided_at": START,
            },
        )
        self.insert(
            "export",
            {
                "runner_id": self.runner_id,
                "asked_at": START,
                "attempts": 1,
                "tables": 1,
                "tables_done": 1,
                "sealed": seal_in_former_vault(self.vault_key, ZIP),
                "size_bytes": len(ZIP),
            },
        )

    def add_answers(self) -> None:
        """Add an answer a day: to runs that are here, gone, or in their log."""
        first_id = self.runner_id * 10**6
        runs, surveys, answers = [], [], []
        for number in range(N_ANSWERS):
            at = START + timedelta(minutes=number)
            source_id = FIRST_STRAVA_ID + first_id + number
            key = make_former_pairing_key("strava", source_id)
            is_gone, is_own = number % 3 == 1, number % 3 == 2
            run_id = None if is_gone else first_id + number
            if run_id is not None:
                number_here = int(key[:15], 16) if is_own else source_id
                runs.append(self.build_run(run_id, number_here, at, is_own=is_own))
            shared: dict[str, Any] = {
                "id": first_id + number,
                "runner_id": self.runner_id,
                "run_id": run_id,
                "pairing_key": key,
                "instrument": "run-2",
                "reversed_order": False,
                "tags": {},
            }
            surveys.append(
                shared
                | {
                    "kind": "run",
                    "token_hash": token_hex(32),
                    "created_at": at,
                    "send_at": at,
                    "expires_at": at,
                }
            )
            values = {"mood": number % 5 - 2, "stress": number % 5}
            answers.append(
                shared
                | {
                    "kind": "run",
                    "answered_at": at,
                    "sealed": seal_json_in_former_vault(self.vault_key, values),
                }
            )
        # How the runner felt before a run, which is paired with it by a tag.
        before = {
            "runner_id": self.runner_id,
            "kind": "before",
            "instrument": "before-1",
            "reversed_order": False,
            "answered_at": START,
            "tags": {"paired_with": make_former_pairing_key("strava", 5), "x": 1},
            "sealed": seal_json_in_former_vault(self.vault_key, {"mood": -1}),
        }
        self.insert("run", *runs)
        self.insert("survey", *surveys)
        self.insert("answer", *answers)
        self.insert("answer", before | {"id": first_id + N_ANSWERS})

    def build_run(
        self, run_id: int, source_id: int, at: datetime, *, is_own: bool
    ) -> dict[str, Any]:
        return {
            "id": run_id,
            "runner_id": self.runner_id,
            "source": "hand" if is_own else "strava",
            "source_id": source_id,
            "sport": "Run",
            "started_at": at,
            "start_known": True,
            "offset_s": 0,
            "local_day": date(2026, 3, 1),
            "distance_m": 5000.0,
            "moving_s": 1800,
            "elapsed_s": 1800,
            "treadmill": False,
            "manual": False,
            "race": False,
            "with_others": False,
            "visibility": "everyone",
            "fetched_at": at,
            "imported": False,
            "counted": True,
            "chosen": False,
        }

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(self.tables[table].insert(), list(rows))


def upgrade(url: str) -> None:
    command.upgrade(build_config(url), "0004")


def read_tables(url: str) -> dict[str, list[dict[str, Any]]]:
    engine = open_engine(url)
    tables = reflect_tables(engine)
    with engine.connect() as connection:
        rows_by_table = {
            name: [
                dict(row)
                for row in connection.execute(
                    select(table).order_by(*table.primary_key)
                ).mappings()
            ]
            for name, table in tables.items()
        }
    engine.dispose()
    return rows_by_table


def check_everything_is_sealed_anew(url: str) -> None:
    """Open all that is stored with the newest code, and compare it with what was."""
    rows = read_tables(url)
    sealer = Sealer(KEYS.split(","))
    assert read_lengths(rows) == {
        column: {SEALED_BYTES[column]}
        for column in SealedColumn
        if column.partition(".")[0] in rows
    }
    vaults = {row["id"]: sealer.open_vault(row["vault_key"]) for row in rows["runner"]}
    for row in rows["runner"]:
        assert sealer.open(row["email"], SealedColumn.ADDRESS) == ADDRESS
    for row in rows["connection"]:
        assert sealer.open(row["access_token"], SealedColumn.STRAVA_ACCESS) == "access"
        refresh = sealer.open(row["refresh_token"], SealedColumn.STRAVA_REFRESH)
        assert refresh == "refresh"
    for row in rows["mail_link"]:
        assert sealer.open(row["email"], SealedColumn.LINK_ADDRESS) == ADDRESS
    for row in rows["mail"]:
        assert sealer.open(row["sealed"], SealedColumn.MAIL) == '{"to":null}'
    for row in rows["figure_decision"]:
        content = vaults[row["runner_id"]].open(
            row["sealed"], SealedColumn.FIGURE_DECISION
        )
        assert content == DECISION | {
            "milestone": 30,
            "digest": "d" * 32,
            "rules": 1,
            "decided_at": START.isoformat(),
            "revised_at": None,
            "local_day": 0,
        }
    for row in rows["export"]:
        vault = vaults[row["runner_id"]]
        assert vault.open_bytes(row["sealed"], SealedColumn.EXPORT) == ZIP
        assert row["size_bytes"] == len(row["sealed"])
    check_answers(rows, vaults)


def check_answers(
    rows: Mapping[str, Sequence[Mapping[str, Any]]], vaults: Mapping[int, Vault]
) -> None:
    runs = {row["id"]: row for row in rows["run"]}
    for runner_id, vault in vaults.items():
        first_id = runner_id * 10**6
        answers = {
            row["id"] - first_id: row
            for row in rows["answer"]
            if row["runner_id"] == runner_id
        }
        surveys = {
            row["id"] - first_id: row["pairing_key"]
            for row in rows["survey"]
            if row["runner_id"] == runner_id
        }
        before = answers.pop(N_ANSWERS)
        assert before["tags"] == {
            "paired_with": vault.pairing_key("strava", 5),
            "x": 1,
        }
        assert len(answers) == len(surveys) == N_ANSWERS
        for number, row in answers.items():
            key = vault.pairing_key("strava", FIRST_STRAVA_ID + first_id + number)
            assert row["pairing_key"] == surveys[number] == key
            values = {"mood": number % 5 - 2, "stress": number % 5}
            assert vault.open(row["sealed"]) == values
            if number % 3 == 2:
                expected = retained_runs.retained_source_id(key)
                assert runs[row["run_id"]]["source_id"] == expected


def read_lengths(
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, set[int]]:
    return {
        f"{table.name}.{column.name}": {
            len(row[column.name])
            for row in rows[table.name]
            if row[column.name] is not None
        }
        for table in Model.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and table.name in rows
    }


def test_everything_is_sealed_anew_and_says_the_same(former_url: str) -> None:
    upgrade(former_url)

    check_everything_is_sealed_anew(former_url)


@pytest.mark.processes
def test_a_migration_that_is_killed_again_and_again_ends_the_same(
    former_url: str,
) -> None:
    kills = [
        kill_upgrade_when(former_url, lambda: count_sealed_anew(former_url, "survey")),
        kill_upgrade_when(former_url, lambda: count_sealed_anew(former_url, "answer")),
        kill_upgrade_when(
            former_url, lambda: count_sealed_anew(former_url, "answer") > N_ANSWERS
        ),
    ]

    assert kills == [True, True, True]
    assert read_revision(former_url) == "0003"
    done = count_sealed_anew(former_url, "answer")
    assert N_ANSWERS < done < 2 * N_ANSWERS + 2
    upgrade(former_url)
    check_everything_is_sealed_anew(former_url)


def kill_upgrade_when(url: str, is_reached: Callable[[], int | bool]) -> bool:
    """Start the upgrade and kill it at a point; False if it was over before."""
    environment = os.environ | {"MOODMILES_DATABASE_URL": url}
    start = "from host.cli import main; raise SystemExit(main(['db', 'upgrade']))"
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", start], cwd=ROOT, env=environment, text=True
    )
    deadline = monotonic() + 60
    while process.poll() is None and not is_reached() and monotonic() < deadline:
        sleep(0.002)
    process.kill()
    process.wait()
    return process.returncode < 0


def count_sealed_anew(url: str, table: str) -> int:
    """Count the rows whose pairing key is of the new form."""
    engine = open_engine(url)
    with engine.connect().execution_options(moodmiles_read_only=True) as connection:
        count = connection.execute(
            text(f"SELECT count(*) FROM {table} WHERE length(pairing_key) = 32")  # noqa: S608
        ).scalar_one()
    engine.dispose()
    return int(count)


def read_revision(url: str) -> str:
    engine = open_engine(url)
    with engine.connect() as connection:
        revision = connection.execute(text("SELECT version_num FROM alembic_version"))
        found: str = revision.scalar_one()
    engine.dispose()
    return found


def test_no_transaction_takes_more_than_a_batch(former_url: str) -> None:
    """A million answers must neither fill the memory nor lock the tables for long."""
    sizes: list[int] = []
    updates = 0

    def count_update(*arguments: Any) -> None:
        nonlocal updates
        updates += str(arguments[2]).startswith("UPDATE answer")

    def end_transaction(_connection: Any) -> None:
        nonlocal updates
        sizes.append(updates)
        updates = 0

    event.listen(Engine, "before_cursor_execute", count_update)
    event.listen(Engine, "commit", end_transaction)
    try:
        upgrade(former_url)
    finally:
        event.remove(Engine, "before_cursor_execute", count_update)
        event.remove(Engine, "commit", end_transaction)

    assert sum(sizes) == 2 * (N_ANSWERS + 1)
    assert max(sizes) == 500


def test_without_the_keys_nothing_is_changed(
    former_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_tables(former_url)
    monkeypatch.setenv("MOODMILES_SECRET_KEYS", "")
    with pytest.raises(NotConfigured, match="MOODMILES_SECRET_KEYS is not set"):
        upgrade(former_url)
    monkeypatch.setenv("MOODMILES_SECRET_KEYS", KEY)

    with pytest.raises(MoodmilesError, match=r"The data of 1 runner\(s\) cannot be"):
        upgrade(former_url)

    assert read_tables(former_url) == before


def test_a_secret_whose_key_is_lost_stays_lost_and_stops_nothing(
    former_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = open_engine(former_url)
    lost = seal_formerly("a key that nobody has any more, at all", "lost")
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE connection SET access_token = :lost WHERE runner_id = 1"),
            {"lost": lost},
        )
    engine.dispose()

    upgrade(former_url)

    assert "1 secrets stay as they are" in capsys.readouterr().err
    assert read_tables(former_url)["connection"][0]["access_token"] == lost


def test_former_stop_links_still_stop_and_nothing_else_of_before_opens(
    former_url: str,
) -> None:
    command.upgrade(build_config(former_url), "head")
    settings = Settings(
        database_url=former_url, secret_keys=[SecretStr(key) for key in KEYS.split(",")]
    )
    runtime = Runtime(
        settings=settings,
        db=Database(open_engine(former_url), RecordingQueue()),
        queue=RecordingQueue(),
        strava=HttpStrava(settings, budget=Budget("", clock=lambda: START)),
        sealer=Sealer(KEYS.split(",")),
        now=lambda: START,
    )
    stops = [make_former_stop_token(key, 1) for key in KEYS.split(",")]
    # The host's keys change, and those who signed the mails are gone.
    newest = replace(
        runtime, sealer=Sealer(["a key that is newer than the others", KEY])
    )
    bookmark = signed_links.create_token(runtime, 1, purpose=SignedLinkPurpose.PRE_RUN)

    assert [unsubscribe.find_runner_id(newest, stop) for stop in stops] == [1, 1]
    for stop in stops:
        purpose = SignedLinkPurpose.PRE_RUN
        assert signed_links.find_token_runner(newest, stop, purpose=purpose) is None
        others = stop.replace("1-", "2-", 1)
        assert unsubscribe.find_runner_id(runtime, others) is None
    assert unsubscribe.find_runner_id(newest, bookmark) is None
    with runtime.db.transaction() as session:
        session.execute(delete(Runner))
        session.add(
            Runner(id=1, created_at=START, vault_key=runtime.sealer.new_vault_key())
        )
    assert [unsubscribe.find_runner_id(runtime, stop) for stop in stops] == [None] * 2
    runtime.db.close()
