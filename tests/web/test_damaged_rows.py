"""Rubbish in a row keeps no page from being shown: for each column, every page."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import pytest
from flask import Flask
from sqlalchemy import LargeBinary, text
from sqlalchemy.exc import DBAPIError

from sync.models.base import (
    EnumText,
    JsonObject,
    LocalDay,
    PreferencesJson,
    UtcDateTime,
)
from sync.portability import exports
from sync.runtime import Runtime
from tests.support.damaged_columns import COLUMNS, DamagedColumn
from tests.support.harness import Harness
from tests.support.two_runners import TwoRunners, add_two_runners

READABLE = (EnumText, JsonObject, PreferencesJson, UtcDateTime, LocalDay)

both_databases = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql"], indirect=True
)


@contextmanager
def damaged(runtime: Runtime, column: DamagedColumn, runner_id: int) -> Iterator[bool]:
    """Damage a column of all rows about a runner, and mend it at the end."""
    table, name = column.table.name, column.column.name
    keys = " AND ".join(
        f"{table}.{key.name} = saved.{key.name}" for key in column.table.primary_key
    )
    with runtime.db.engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE saved AS SELECT * FROM {table}"))  # noqa: S608
    try:
        column.damage(runtime, runner_id)
        yield True
    except DBAPIError:
        yield False  # the database itself refuses it
    finally:
        with runtime.db.engine.begin() as connection:
            connection.execute(
                text(
                    f"UPDATE {table} SET {name} = saved.{name} "  # noqa: S608
                    f"FROM saved WHERE {keys}"
                )
            )
            connection.execute(text("DROP TABLE saved"))


@pytest.fixture
def two_runners(harness: Harness) -> TwoRunners:
    return add_two_runners(harness)


def list_paths(app: Flask, ids: dict[str, str]) -> list[str]:
    """Return every page that needs no more than a signed-in runner, and their links."""
    paths = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if not rule.arguments and rule.methods and "GET" in rule.methods
    }
    return sorted(
        paths - {"/healthz"}
        | {
            f"/runs/{ids['run']}",
            f"/s/{ids['survey token']}",
            f"/u/{ids['unsubscribe token']}",
            f"/before/{ids['before token']}",
            f"/email/confirm/{ids['confirm token']}",
        }
    )


@both_databases
@pytest.mark.slow
def test_no_page_is_lost_to_a_damaged_row(two_runners: TwoRunners) -> None:
    runtime, runner_id = two_runners.runtime, two_runners.subject_id
    lost = []
    tried = 0
    for column in COLUMNS:
        is_sealed = isinstance(column.column.type, LargeBinary)
        if not is_sealed and not isinstance(column.column.type, READABLE):
            continue
        browser = two_runners.browser(runner_id)
        with damaged(runtime, column, runner_id) as is_damaged:
            tried += is_damaged
            for path in list_paths(two_runners.app, two_runners.ids):
                status = browser.open(path).status_code
                # A key that opens nothing is told as such.
                allowed = {HTTPStatus.SERVICE_UNAVAILABLE} if is_sealed else set()
                if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in allowed:
                    lost.append(f"{column.name}: {path} {status}")
            if not is_sealed:
                with runtime.db.transaction(runner_id=runner_id) as session:
                    exports.delete_export(session, runner_id)
                exports.request_export(runtime, runner_id)
                exports.process_due(runtime)
                state = exports.load_status(runtime, runner_id).state
                if state not in {exports.ExportState.READY, exports.ExportState.OVER}:
                    lost.append(f"{column.name}: export {state}")

    assert lost == []
    assert tried > len(READABLE)
