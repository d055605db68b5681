"""The doctor: each part is well, or a sentence says what to do."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from host.doctor import examine
from sync.clock import utc_now
from sync.database import Database, connect
from sync.models import Event
from sync.queue import CeleryQueue
from sync.settings import Settings
from tests.servers import HOST, free_port, valkey


def advice(settings: Settings, check: str, **changes: Any) -> str:
    [finding] = examine(settings.model_copy(update=changes), [check])
    return str(finding)


@pytest.fixture
def write(settings: Settings) -> Callable[..., None]:
    """Store an event in the tables, as if it had come long ago."""

    def event(**values: Any) -> None:
        db = Database(connect(settings.sql_url), CeleryQueue(""))
        long_ago = utc_now() - timedelta(hours=1)
        blank = {
            "dedupe_key": "x",
            "subject": "activity",
            "subject_id": 1,
            "aspect": "create",
            "athlete_id": 1,
            "updates": {},
            "happened_at": long_ago,
            "received_at": long_ago,
        }
        with db.transaction() as session:
            session.add(Event(**blank | values))
        db.close()

    return event


@pytest.mark.parametrize(
    ("check", "changes", "sentence"),
    [
        ("configuration", {"secret_keys": []}, "MOODMILES_SECRET_KEYS is not set"),
        (
            "configuration",
            {"public_url": "http://run.example"},
            "must begin with https on a public address",
        ),
        (
            "configuration",
            {"public_url": "https://run.example", "mail_from": "a@localhost"},
            "Set MOODMILES_MAIL_FROM",
        ),
        (
            "configuration",
            {"public_url": "https://run.example", "mail_from": "a@run.example"},
            "MOODMILES_CONTACT is not set",
        ),
        ("database", {"database_url": "sqlite:////nowhere/x"}, "cannot be used"),
        ("redis", {}, "Set MOODMILES_REDIS_URL"),
        ("redis", {"redis_url": f"redis://{HOST}:1"}, "Redis does not answer"),
        ("mail", {"smtp_url": None}, "Set MOODMILES_SMTP_URL"),
        ("strava", {"strava_client_id": None}, "Set MOODMILES_STRAVA_CLIENT_ID"),
        ("strava", {}, "Not subscribed; run `moodmiles strava subscribe`"),
        ("clock", {"database_url": "sqlite:////nowhere/x"}, "see the database's line"),
    ],
)
def test_what_is_missing_is_said(
    settings: Settings, check: str, changes: dict[str, Any], sentence: str
) -> None:
    said = advice(settings, check, **changes)

    assert said.startswith("fix ")
    assert sentence in said


def test_a_mail_server_that_is_away_is_named(settings: Settings) -> None:
    port = free_port()

    said = advice(settings, "mail", smtp_url=SecretStr(f"smtp://{HOST}:{port}"))

    assert f"No conversation with {HOST}:{port}" in said


def test_tables_that_are_missing_are_to_be_made(
    settings: Settings, folder: Path
) -> None:
    empty = f"sqlite:///{folder / 'empty.sqlite3'}"

    assert "Run `moodmiles db upgrade`" in advice(
        settings, "database", database_url=empty
    )


def test_work_that_waits_asks_for_a_worker(
    settings: Settings, write: Callable[..., None]
) -> None:
    write(due_at=utc_now() - timedelta(hours=1))

    assert "Work has waited for 60 minutes" in advice(settings, "work")


def test_work_that_was_given_up_is_counted(
    settings: Settings, write: Callable[..., None]
) -> None:
    write(parked_for="unreadable")

    assert "1 events were given up" in advice(settings, "work")


def test_what_is_well_says_ok(settings: Settings) -> None:
    with valkey() as redis:
        found = [
            advice(settings, "configuration"),
            advice(settings, "database"),
            advice(settings, "redis", redis_url=redis.url),
            advice(settings, "clock"),
            advice(settings, "work"),
        ]

    assert [line.split()[0] for line in found] == ["ok"] * 5


def test_a_bad_instrument_is_named_with_its_line(
    settings: Settings, folder: Path
) -> None:
    (folder / "instruments").mkdir()
    (folder / "instruments" / "club.toml").write_text('id = "club"\n')

    assert "The instrument club.toml, line 1: id: " in advice(
        settings, "configuration", data_dir=folder
    )
