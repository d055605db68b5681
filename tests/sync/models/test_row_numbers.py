"""The number of a row is given once, on both databases, in every table."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Table, delete, insert
from sqlalchemy.types import TypeEngine

from sync.models import Model
from sync.models.base import EnumText, JsonObject, LocalDay, UtcDateTime
from sync.runtime import Runtime

NUMBERED_TABLES = [
    table
    for table in Model.metadata.sorted_tables
    if table.autoincrement_column is not None
]


def fill(kind: TypeEngine[Any]) -> Any:
    """Return any value of this type of column."""
    match kind:
        case EnumText(members=members):
            return next(member.value for member in members)
        case UtcDateTime():
            return datetime(2026, 4, 1, tzinfo=UTC)
        case LocalDay():
            return date(2026, 4, 1)
        case JsonObject():
            return {}
        case _:
            return kind.python_type()


def add_row(connection: Connection, table: Table) -> int:
    """Insert a row with no more than the table asks for; return its number."""
    values: dict[str, Any] = {}
    for column in table.columns:
        is_given = column.nullable or column.default or column.server_default
        if column.primary_key or is_given:
            continue
        referred = next(iter(column.foreign_keys), None)
        values[column.name] = (
            add_row(connection, referred.column.table)
            if referred is not None
            else fill(column.type)
        )
    inserted = connection.execute(insert(table).values(values))
    key = inserted.inserted_primary_key
    assert key
    return int(key[0])


def test_every_kind_of_row_is_tried() -> None:
    names = {table.name for table in NUMBERED_TABLES}

    assert {"runner", "run", "survey", "answer", "mail", "export"} <= names


@pytest.mark.parametrize("table", NUMBERED_TABLES, ids=lambda table: table.name)
def test_the_number_of_a_deleted_row_is_not_given_again(
    runtime: Runtime, table: Table
) -> None:
    with runtime.db.engine.begin() as connection:
        gone = add_row(connection, table)
    with runtime.db.engine.begin() as connection:
        connection.execute(delete(table))

    with runtime.db.engine.begin() as connection:
        assert add_row(connection, table) > gone
