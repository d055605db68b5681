"""The hot paths never read a whole table: PostgreSQL's own plans say so."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, text

from sync import consent_version
from sync.inbox import handle
from sync.inbox import store as inbox
from sync.mail import deliver
from sync.models import (
    Backfill,
    Connection,
    Consent,
    Event,
    Mail,
    ReconcileState,
    Run,
    Runner,
)
from sync.runs import backfill, reconcile
from sync.surveys.sending import decide_runs
from tests.conftest import empty_postgres
from tests.support.clock import NOON
from tests.support.harness import Harness

RUNNERS = 3_000
RUNS_EACH = 10
KINDS = ("strava", "mood", "mail", "adult")
EXPLAINED = ("SELECT", "UPDATE", "DELETE", "INSERT")
LARGE = {"run", "event", "connection", "runner", "backfill", "sweep", "consent", "mail"}


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return empty_postgres(postgres_url)


@contextmanager
def record_statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Note every statement that reaches the database."""
    recorded: list[tuple[str, Any]] = []

    def record(*arguments: Any) -> None:
        _, _, statement, parameters, _, is_many = arguments
        if not is_many and statement.startswith(EXPLAINED):
            recorded.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", record)
    yield recorded
    event.remove(engine, "before_cursor_execute", record)


def fill_tables(harness: Harness, *, runners: int = RUNNERS) -> None:
    """Put in thousands of other runners who have nothing due."""
    numbers = range(1_000, 1_000 + runners)
    people = [
        {
            "id": number,
            "athlete_id": 10**9 + number,
            "created_at": NOON,
            "vault_key": b"",
            "zone": "UTC",
        }
        for number in numbers
    ]
    link = {"scope": "", "access_token": b"", "refresh_token": b""}
    times = {"expires_at": NOON, "linked_at": NOON}
    with harness.runtime.db.transaction() as session:
        session.execute(insert(Runner), people)
        for table, values in (
            (Connection, link | times),
            (Backfill, {"before": NOON, "started_at": NOON}),
            (ReconcileState, {"due_at": NOON.replace(year=2030), "compared_at": NOON}),
        ):
            rows = [{"runner_id": number} | values for number in numbers]
            session.execute(insert(table), rows)
        session.execute(
            insert(Consent), [_consent(n, k) for n in numbers for k in KINDS]
        )
        session.execute(
            insert(Run),
            [_run(number, count) for number in numbers for count in range(RUNS_EACH)],
        )
        session.execute(insert(Event), [_event(n, runners) for n in range(runners * 3)])
        session.execute(insert(Mail), [_mail(number) for number in numbers])
    with harness.runtime.db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(
            text("ANALYZE")
        )


def _consent(runner_id: int, kind: str) -> dict[str, Any]:
    values = {"version": consent_version.VERSION, "given_at": NOON}
    return {"runner_id": runner_id, "kind": kind} | values


def _run(runner_id: int, count: int) -> dict[str, Any]:
    nothing = dict.fromkeys(("treadmill", "manual", "race", "with_others"), False)
    return nothing | {
        "runner_id": runner_id,
        "source": "strava",
        "source_id": runner_id * 100 + count,
        "sport": "Run",
        "started_at": NOON.replace(day=1, month=1 + count),
        "start_known": True,
        "offset_s": 0,
        "local_day": NOON.date(),
        "distance_m": 5000,
        "moving_s": 1800,
        "elapsed_s": 1800,
        "visibility": "everyone",
        "fetched_at": NOON,
    }


def _event(number: int, runners: int) -> dict[str, Any]:
    return {
        "dedupe_key": str(number),
        "subject": "activity",
        "subject_id": number,
        "aspect": "create",
        "athlete_id": 10**9 + 1_000 + number % runners,
        "updates": {},
        "happened_at": NOON,
        "received_at": NOON,
    }


def _mail(runner_id: int) -> dict[str, Any]:
    return {
        "dedupe_key": str(runner_id),
        "runner_id": runner_id,
        "kind": "survey",
        "message_id": "",
        "created_at": NOON,
        "stale_at": NOON,
        "sent_at": NOON,
    }


def list_scanned_tables(harness: Harness, statement: str, parameters: Any) -> set[str]:
    """Return the large tables that the plan of a statement reads from end to end."""
    with harness.runtime.db.engine.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN (FORMAT JSON) {statement}", parameters
        ).scalar_one()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return _collect_scanned(plan[0]["Plan"]) & LARGE


def _collect_scanned(node: dict[str, Any]) -> set[str]:
    scanned = {node["Relation Name"]} if node["Node Type"] == "Seq Scan" else set()
    return scanned.union(*(_collect_scanned(child) for child in node.get("Plans", ())))


def test_an_event_from_door_to_table_reads_no_table_whole(harness: Harness) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    fill_tables(harness)
    harness.advance_clock(days=1, minutes=1)
    runs = [harness.finish_run(athlete, ended_minutes_ago=60 * i) for i in (1, 2, 30)]

    with record_statements(harness.runtime.db.engine) as noted:
        for run in runs:
            harness.deliver_event(athlete, run.id, "create")
        handle.process_due(harness.runtime)
        backfill.process_due(harness.runtime)
        reconcile.process_due(harness.runtime)
        decide_runs.process_due(harness.runtime)
        harness.deliver_event(athlete, runs[0].id, "delete")
        handle.process_due(harness.runtime)

    whole = {
        statement: tables
        for statement, parameters in noted
        if (tables := list_scanned_tables(harness, statement, parameters))
    }
    assert len(noted) > 30
    assert whole == {}


def test_looking_for_work_reads_no_table_whole(harness: Harness) -> None:
    fill_tables(harness)

    with record_statements(harness.runtime.db.engine) as noted:
        with harness.runtime.db.transaction() as session:
            assert inbox.claim_next(session, now=harness.clock()) is None
        for drain in (
            backfill.process_due,
            reconcile.process_due,
            decide_runs.process_due,
            deliver.deliver_due,
        ):
            drain(harness.runtime)

    assert [list_scanned_tables(harness, *one) for one in noted] == [set()] * len(noted)
