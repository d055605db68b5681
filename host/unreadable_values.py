"""Stored values that this version reads as if they were others, counted for the host.

They come from a newer version, or from damage; no page and no work stops at them.
"""

from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    String,
    case,
    extract,
    false,
    func,
    select,
    true,
)
from sqlalchemy.sql.expression import type_coerce

from sync.database import Database
from sync.models import Model
from sync.models.base import (
    EnumText,
    JsonObject,
    LocalDay,
    PreferencesJson,
    UtcDateTime,
)

# What SQLite holds no type for is told by its form.
_TIME_FORM = (
    "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]*"
)
_JSON_TYPES = ("object", "null")
_DAY_FORM = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"


def count_unreadable(db: Database) -> Mapping[str, int]:
    """Return how many values of each column are not understood, by `table.column`."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    counts: dict[str, int] = {}
    with db.read_only() as session:
        for table in Model.metadata.sorted_tables:
            conditions = {
                f"{table.name}.{column.name}": condition
                for column in table.columns
                if (condition := _is_unreadable(column, is_sqlite=is_sqlite))
                is not None
            }
            if not conditions:
                continue
            sums = [
                func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
                for condition in conditions.values()
            ]
            row = session.execute(select(*sums).select_from(table)).one()
            counts |= dict(zip(conditions, row, strict=True))
    return {name: count for name, count in counts.items() if count}


def _is_unreadable(
    column: Column[Any], *, is_sqlite: bool
) -> ColumnElement[bool] | None:
    """Say in a query that a value is not understood; None if all of them are."""
    if isinstance(column.type, EnumText):
        words = [member.value for member in column.type.members]
        return column.is_not(None) & type_coerce(column, String).not_in(words)
    if is_sqlite:
        return _is_malformed(column)
    match column.type:
        case UtcDateTime() | LocalDay():
            year = extract("year", column)
            return ~func.isfinite(column) | ~year.between(MINYEAR, MAXYEAR)
        case JsonObject() | PreferencesJson():
            return func.json_typeof(column).not_in(_JSON_TYPES)
        case _:
            return None


def _is_malformed(column: Column[Any]) -> ColumnElement[bool] | None:
    """Say in a query that a value has not the form of what SQLite has no type for."""
    plain = type_coerce(column, String)
    match column.type:
        case UtcDateTime():
            return plain.op("NOT GLOB")(_TIME_FORM)
        case LocalDay():
            return plain.op("NOT GLOB")(_DAY_FORM)
        case JsonObject() | PreferencesJson():
            # Of what is no JSON at all, the type must not be asked.
            return case(
                (plain.is_(None), false()),
                (func.json_valid(plain) == 0, true()),
                else_=func.json_type(plain).not_in(_JSON_TYPES),
            )
        case _:
            return None
