"""The doctor: each part is well, or a sentence says what to do."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from host.checks import require_encrypted_database, require_encrypted_redis
from host.doctor import run_checks
from host.errors import Unencrypted
from sync import counters
from sync.clock import utc_now
from sync.database import Database, open_engine
from sync.errors import RateLimited
from sync.inbox.receive import SIGNATURE_COUNTER
from sync.models import Backfill, Event, ReconcileState
from sync.queue import CeleryQueue
from sync.settings import Settings
from sync.strava import Lane
from sync.strava.budget import create_budget
from sync.vocabulary import ReconcileStop, SignatureVerdict
from tests.conftest import KEY
from tests.lab.faketime import OFFSET, offset_s, with_faketime
from tests.support.harness import Harness
from tests.support.servers import HOST, free_port, run_valkey
from tests.support.strong_secrets import VERIFY_TOKEN, WEBHOOK_SECRET

LIMIT_HEADERS = {
    "X-RateLimit-Limit": "200,2000",
    "X-RateLimit-Usage": "70,303",
    "X-ReadRateLimit-Limit": "100,1000",
    "X-ReadRateLimit-Usage": "70,303",
}


def get_advice(settings: Settings, check: str, **changes: Any) -> str:
    [finding] = run_checks(settings.model_copy(update=changes), [check])
    return str(finding)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Give a host whose secrets nobody guesses."""
    return settings.model_copy(
        update={
            "strava_verify_token": SecretStr(VERIFY_TOKEN),
            "strava_webhook_secret": SecretStr(WEBHOOK_SECRET),
        }
    )


@pytest.fixture
def add_event(settings: Settings) -> Callable[..., None]:
    """Store an event in the tables, as if it had come long ago."""

    def event(**values: Any) -> None:
        db = Database(open_engine(settings.sql_url), CeleryQueue(""))
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
        (
            "configuration",
            {"strava_webhook_secret": SecretStr("x")},
            "MOODMILES_STRAVA_WEBHOOK_SECRET needs at least 24 characters; make one: ",
        ),
        (
            "configuration",
            {
                "public_url": "https://run.example",
                "mail_from": "a@run.example",
                "contact": "a@run.example",
                "metrics_token": SecretStr("m" * 30),
            },
            "MOODMILES_METRICS_TOKEN repeats itself",
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
    advice = get_advice(settings, check, **changes)

    assert advice.startswith("fix ")
    assert sentence in advice


def test_a_mail_server_that_is_away_is_named(settings: Settings) -> None:
    port = free_port()

    advice = get_advice(settings, "mail", smtp_url=SecretStr(f"smtp://{HOST}:{port}"))

    assert f"{HOST}:{port} refuses the connection" in advice


DB = "postgresql+psycopg://moodmiles:password"


@pytest.mark.parametrize(
    ("check", "url", "is_noted"),
    [
        (require_encrypted_database, f"{DB}@db.example.org/moodmiles", True),
        (require_encrypted_database, f"{DB}@10.0.0.5/moodmiles", True),
        (require_encrypted_database, f"{DB}@db.example.org/m?sslmode=require", True),
        (require_encrypted_database, f"{DB}@10.0.0.5/m?sslmode=verify-full", False),
        (require_encrypted_database, f"{DB}@db/moodmiles", False),
        (require_encrypted_database, f"{DB}@127.0.0.1/moodmiles", False),
        (require_encrypted_database, f"{DB}@/moodmiles?host=/run/postgresql", False),
        (require_encrypted_database, "sqlite:////data/moodmiles.sqlite3", False),
        (require_encrypted_redis, "redis://:p@redis.example.org:6379/0", True),
        (require_encrypted_redis, "redis://:p@192.168.1.5/0", True),
        (require_encrypted_redis, "rediss://:p@10.0.0.1/0?ssl_cert_reqs=none", True),
        (require_encrypted_redis, "rediss://10.0.0.1/0?ssl_cert_reqs=required", False),
        (require_encrypted_redis, "redis://:p@redis:6379/0", False),
        (require_encrypted_redis, "redis://[::1]:6379/0", False),
    ],
)
def test_a_line_that_others_may_read_is_noted(
    check: Callable[[str], None], url: str, is_noted: bool
) -> None:
    if is_noted:
        with pytest.raises(Unencrypted):
            check(url)
    else:
        check(url)


def test_such_a_line_is_a_warning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.checks.is_neighbour", lambda _host: False)
    with run_valkey() as redis:
        advice = get_advice(settings, "redis", redis_url=redis.url)

    assert advice.startswith("warn ")
    assert "rediss://" in advice


def test_tables_that_are_missing_are_to_be_made(
    settings: Settings, folder: Path
) -> None:
    empty = f"sqlite:///{folder / 'empty.sqlite3'}"

    assert "Run `moodmiles db upgrade`" in get_advice(
        settings, "database", database_url=empty
    )


def test_work_that_waits_asks_for_a_worker(
    settings: Settings, add_event: Callable[..., None]
) -> None:
    add_event(due_at=utc_now() - timedelta(hours=1))

    assert "Work has waited for 60 minutes" in get_advice(settings, "work")


def test_what_was_given_up_can_be_tried_again(
    settings: Settings, add_event: Callable[..., None]
) -> None:
    add_event(parked_for="StravaUnavailable")

    advice = get_advice(settings, "work")

    assert "Given up: StravaUnavailable (1). Run `moodmiles strava retry`." in advice


def test_what_only_a_runner_can_mend_is_no_work_for_the_host(
    settings: Settings, add_event: Callable[..., None]
) -> None:
    add_event(parked_for="AccessRevoked")

    assert get_advice(settings, "work").startswith("ok ")


def test_a_stopped_reconciliation_is_reported(
    settings: Settings, harness: Harness
) -> None:
    harness.link_runner(harness.add_athlete())
    with harness.runtime.db.transaction() as session:
        tomorrow = utc_now() + timedelta(days=1)
        session.execute(update(Backfill).values(due_at=None))
        session.execute(
            update(ReconcileState).values(
                stopped_for=ReconcileStop.WOULD_DELETE_EVERYTHING, due_at=tomorrow
            )
        )

    assert "no run at all of 1 runners" in get_advice(settings, "work")


def test_oddities_are_told_when_all_is_well(
    settings: Settings, harness: Harness
) -> None:
    harness.deliver_event(harness.add_athlete(99), 1, "create")

    advice = get_advice(settings, "work")

    assert "nothing is late; noted so far: event about nobody here (1)" in advice


def run_in_one_quarter(act: Callable[[], str]) -> str:
    """Act anew if a quarter of an hour ends meanwhile: it starts the counts again."""
    while True:
        began = get_quarter()
        with suppress(RateLimited):  # a quarter's last second refuses work
            result = act()
            if get_quarter() == began:
                return result


def get_quarter() -> int:
    return int(utc_now().timestamp()) // (15 * 60)


@pytest.fixture
def count_signatures(settings: Settings) -> Callable[..., None]:
    """Count signatures of events, as if these had come."""

    def count(*verdicts: SignatureVerdict) -> None:
        db = Database(open_engine(settings.sql_url), CeleryQueue(""))
        for verdict in verdicts:
            counters.increment_alone(db, SIGNATURE_COUNTER + verdict)
        db.close()

    return count


def test_who_sees_right_signatures_is_advised_to_insist_on_them(
    settings: Settings, count_signatures: Callable[..., None]
) -> None:
    count_signatures(SignatureVerdict.MISSING)
    before = get_advice(settings, "signatures", strava_signature="observe")
    count_signatures(SignatureVerdict.RIGHT)

    after = get_advice(settings, "signatures", strava_signature="observe")
    insisting = get_advice(settings, "signatures", strava_signature="enforce")

    assert before == "ok   signatures    events are taken with any: missing (1)"
    assert after.startswith("warn signatures    Strava signs its events: missing (1), ")
    assert "right (1). Set MOODMILES_STRAVA_SIGNATURE=enforce" in after
    assert insisting == "ok   signatures    refused without a right one: 1 events"


def test_strava_s_limits_are_told_as_all_processes_count_them(
    settings: Settings,
) -> None:
    with run_valkey() as redis:
        shared = settings.model_copy(update={"redis_url": redis.url})
        budget = create_budget(shared)

        def spend_one() -> str:
            redis.flush()
            budget.update_from_headers(LIMIT_HEADERS)
            budget.reserve(Lane.WAITING)
            return get_advice(shared, "limits")

        advice = run_in_one_quarter(spend_one)

    assert "71 of 200 requests by" in advice
    assert "304 of 1000 reads by 00:00 UTC" in advice
    assert advice.startswith("ok ")


@pytest.mark.parametrize(
    ("usage", "start", "sentence"),
    [
        ("100,1000", "fix ", "Strava's limit for today is used up"),
        ("100,500", "ok ", "Strava asks all to wait until"),
    ],
)
def test_a_limit_that_is_used_up_is_told(
    settings: Settings, usage: str, start: str, sentence: str
) -> None:
    with run_valkey() as redis:
        shared = settings.model_copy(update={"redis_url": redis.url})
        headers = LIMIT_HEADERS | {"X-ReadRateLimit-Usage": usage}

        def be_refused() -> str:
            redis.flush()
            create_budget(shared).update_from_headers(headers, refused=True)
            return get_advice(shared, "limits")

        advice = run_in_one_quarter(be_refused)

    assert advice.startswith(start)
    assert sentence in advice


def test_without_redis_nobody_knows_the_limits(settings: Settings) -> None:
    assert "Not known without Redis" in get_advice(settings, "limits")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_clocks_that_differ_are_told(settings: Settings) -> None:
    headers = {
        **os.environ,
        "MOODMILES_DATABASE_URL": settings.database_url,
        "MOODMILES_SECRET_KEYS": KEY,
    }
    ahead_s = offset_s(os.environ) + 60

    done = subprocess.run(
        [sys.executable, "-m", "host.cli", "doctor", "clock"],
        env=with_faketime(headers, {OFFSET: f"{ahead_s:+.0f}"}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert "s apart: let both follow a time server" in done.stdout


def test_what_is_well_says_ok(settings: Settings) -> None:
    with run_valkey() as redis:
        results = [
            get_advice(settings, "configuration"),
            get_advice(settings, "database"),
            get_advice(settings, "redis", redis_url=redis.url),
            get_advice(settings, "limits", redis_url=redis.url),
            get_advice(settings, "clock"),
            get_advice(settings, "work"),
        ]

    assert [line.split()[0] for line in results] == ["ok"] * 6


def test_a_bad_instrument_is_named_with_its_line(
    settings: Settings, folder: Path
) -> None:
    (folder / "instruments").mkdir()
    (folder / "instruments" / "club.toml").write_text('id = "club"\n')

    assert "The instrument club.toml, line 1: id: " in get_advice(
        settings, "configuration", data_dir=folder
    )
