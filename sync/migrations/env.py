"""Alembic's entry point: on the engine given, or on the one the settings name."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from sync.database import lock_name, open_engine
from sync.errors import MoodmilesError
from sync.models import Model
from sync.models.base import (
    EnumText,
    JsonObject,
    LocalDay,
    PreferencesJson,
    UtcDateTime,
)
from sync.settings import load

_LOCK_NAME = "moodmiles migrations"


def _plain_types(
    type_: str, item: Any, _autogen: AutogenContext
) -> str | Literal[False]:
    """Write our own column types as what they are in the database."""
    if type_ != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, LocalDay):
        return "sa.Date()"
    if isinstance(item, JsonObject | PreferencesJson):
        return "sa.JSON()"
    return "sa.String()" if isinstance(item, EnumText) else False


def _let_tables_be_rebuilt(connection: Connection) -> None:
    """Let SQLite drop a table that others refer to, without emptying those.

    A changed table is built anew and the old one dropped, which would delete every
    row that names one of its own.  Inside a transaction this pragma does nothing.
    """
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")


def _refuse_loose_ends(ctx: MigrationContext, *_: object, **__: object) -> None:
    """Undo a step after which a row names another that is not there."""
    connection = ctx.connection
    if connection is None or connection.dialect.name != "sqlite":
        return
    loose = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if loose is not None:
        raise MoodmilesError(
            f"The tables were left as they were: rows of {loose[0]} name rows of "
            f"{loose[2]} that are not there."
        )


@contextmanager
def _wait_for_others(connection: Connection) -> Iterator[None]:
    """Let one process migrate at a time; the next one finds that all is done."""
    path = connection.engine.url.database
    if connection.dialect.name == "postgresql":
        # Held by a transaction of its own, beyond the end of each migration's: a pooler
        # between us may give each transaction another session.
        with connection.engine.begin() as holder:
            lock_name(holder, _LOCK_NAME)
            yield
    elif path:
        # The folder, for to close a file of SQLite's would drop SQLite's own locks.
        folder = os.open(Path(path).absolute().parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
    else:
        yield


def _run(connection: Connection) -> None:
    _let_tables_be_rebuilt(connection)
    context.configure(
        connection=connection,
        target_metadata=Model.metadata,
        # SQLite numbers rows without an identity, so there is none to compare.
        compare_server_default=connection.dialect.name == "postgresql",
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=_plain_types,
        transaction_per_migration=True,
        on_version_apply=_refuse_loose_ends,
    )
    with context.begin_transaction():
        context.run_migrations()


url = context.config.attributes.get("url") or load().sql_url
engine = open_engine(url)
try:
    with engine.connect() as connection, _wait_for_others(connection):
        _run(connection)
        connection.commit()
finally:
    engine.dispose()
