"""What is read as if it were something else is counted, column by column."""

from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from host.unreadable_values import count_unreadable
from sync.models.base import (
    EnumText,
    JsonObject,
    LocalDay,
    PreferencesJson,
    UtcDateTime,
)
from tests.support.damaged_columns import COLUMNS
from tests.support.harness import Harness
from tests.support.two_runners import add_two_runners

COUNTED = (EnumText, JsonObject, LocalDay, PreferencesJson, UtcDateTime)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_every_value_that_is_not_understood_is_counted(harness: Harness) -> None:
    two_runners = add_two_runners(harness)
    db = harness.runtime.db
    assert count_unreadable(db) == {}
    tried = {
        damaged.name: damaged
        for damaged in COLUMNS
        if isinstance(damaged.column.type, COUNTED)
    }

    damaged_names = set()
    for name, damaged in tried.items():
        owned_rows = text(
            f"SELECT count(*) FROM {damaged.table.name} WHERE "  # noqa: S608
            f"{damaged.owner} = {two_runners.subject_id}"
        )
        with db.read_only() as session:
            row_count = session.scalar(owned_rows)
        with suppress(DBAPIError):  # the database itself refuses it
            damaged.damage(harness.runtime, two_runners.subject_id)
            if row_count:
                damaged_names.add(name)

    assert len(damaged_names) > 40
    assert set(count_unreadable(db)) == damaged_names
