"""Rubbish in any column of the rows about a runner."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    text,
)

from sync.models import Model
from sync.models.base import (
    EnumText,
    JsonObject,
    LocalDay,
    PreferencesJson,
    UtcDateTime,
)
from sync.runtime import Runtime

# What each type of column is made to hold, on SQLite and on PostgreSQL.
DAMAGE: Mapping[type[Any], Mapping[str, str]] = {
    EnumText: {"sqlite": "'sauna'", "postgresql": "'sauna'"},
    UtcDateTime: {"sqlite": "'0000-13-45 99:00'", "postgresql": "'-infinity'"},
    LocalDay: {"sqlite": "'0000-13-45'", "postgresql": "'-infinity'"},
    JsonObject: {"sqlite": "'{\"a\": ['", "postgresql": "'[1]'"},
    PreferencesJson: {"sqlite": "'[1'", "postgresql": "'[1]'"},
    LargeBinary: {"sqlite": "x'00ff'", "postgresql": r"'\x00ff'"},
    Boolean: {"sqlite": "'sauna'", "postgresql": "NOT COLUMN"},
    BigInteger: {"sqlite": "'sauna'", "postgresql": "9223372036854775807"},
    Integer: {"sqlite": "'sauna'", "postgresql": "2147483647"},
    Float: {"sqlite": "'sauna'", "postgresql": "'NaN'"},
    String: {"sqlite": "x'ff00'", "postgresql": "'Mars/Olympus Mons'"},
}
# By these a row is found: to damage them makes it another's, or nobody's.
IDENTITIES = {"athlete_id", "claimed_athlete_id"}


@dataclass(frozen=True)
class DamagedColumn:
    table: Table
    column: Column[Any]

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column.name}"

    @property
    def owner(self) -> str:
        """The column that says whose a row is."""
        owners = {"runner": "id", "event": "athlete_id"}
        return owners.get(self.table.name, "runner_id")

    def damage(self, runtime: Runtime, runner_id: int) -> None:
        """Put rubbish into this column of all rows about a runner."""
        dialect = runtime.db.engine.dialect.name
        [value, *_] = [
            values[dialect]
            for kind, values in DAMAGE.items()
            if isinstance(self.column.type, kind)
        ]
        name = f'"{self.column.name}"'
        statement = (
            f"UPDATE {self.table.name} SET {name} = {value.replace('COLUMN', name)} "  # noqa: S608
            f"WHERE {self.owner} = {runner_id}"
        )
        with runtime.db.transaction() as session, session.begin_nested():
            session.execute(text(statement))


COLUMNS = [
    DamagedColumn(table, column)
    for table in Model.metadata.sorted_tables
    if table.name in {"runner", "event"} or "runner_id" in table.columns
    for column in table.columns
    if not column.primary_key
    and not column.foreign_keys
    and column.name not in IDENTITIES
]
