"""`moodmiles db ...`: migrations of the tables, and what a restored backup needs."""

import sqlite3
from types import SimpleNamespace

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, column, func, insert, select, table, update
from sqlalchemy.exc import SQLAlchemyError

from host.configuration import load_effective_settings
from host.data_dir import create_data_directory
from host.errors import StartupError
from host.sqlite_file import describe_sqlite_error, require_usable_file
from sync.database import open_engine
from sync.models import Model
from sync.runners import browser_sessions, deletion
from sync.runtime import build
from sync.setting_urls import find_sqlite_file

_SCRIPTS = "sync:migrations"
# More rows than any table got between a backup of a month ago and today.
SKIPPED_NUMBERS = 10_000_000


class MigrationState:
    """The revision of the tables at one address, compared with the migrations."""

    def __init__(self, url: str) -> None:
        self._config = Config()
        self._config.set_main_option("script_location", _SCRIPTS)
        self._config.attributes["url"] = url
        self._scripts = ScriptDirectory.from_config(self._config)
        self._engine: Engine = open_engine(url)
        self._file = find_sqlite_file(url)

    def current_revisions(self) -> set[str]:
        """Return the tables' revisions; empty before the first migration."""
        if self._file is not None:
            require_usable_file(self._file)
        try:
            with self._engine.connect() as connection:
                heads = MigrationContext.configure(connection).get_current_heads()
        except SQLAlchemyError as error:
            raise self.describe_error(error) from None
        finally:
            self._engine.dispose()
        return set(heads)

    def has_pooler(self) -> bool:
        """Whether a pooler such as PgBouncer stands between us and PostgreSQL.

        It makes up the number of the server's process that a connection begins with.
        """
        try:
            with self._engine.connect() as connection:
                driver = connection.connection.driver_connection
                if self._engine.dialect.name != "postgresql" or driver is None:
                    return False
                pid = connection.scalar(select(func.pg_backend_pid()))
                return bool(driver.info.backend_pid != pid)
        except SQLAlchemyError as error:
            raise self.describe_error(error) from None
        finally:
            self._engine.dispose()

    def head_revisions(self) -> set[str]:
        return set(self._scripts.get_heads())

    def is_newer_than_code(self) -> bool:
        known_revisions = {script.revision for script in self._scripts.walk_revisions()}
        return not self.current_revisions() <= known_revisions

    def is_current(self) -> bool:
        return self.current_revisions() == self.head_revisions()

    def upgrade(self) -> None:
        """Run missing migrations; raise `StartupError` if the tables are newer."""
        if self.is_newer_than_code():
            raise StartupError(
                "The database belongs to a newer version of Moodmiles; update "
                "Moodmiles, or restore the backup made before the update."
            )
        if self.is_current():
            return
        try:
            command.upgrade(self._config, "head")
        except SQLAlchemyError as error:
            raise self.describe_error(error) from None

    def describe_error(self, error: SQLAlchemyError) -> StartupError:
        """Return what a host can do about an error of the database's."""
        cause = getattr(error, "orig", None)
        if self._file is not None and isinstance(cause, sqlite3.Error):
            return describe_sqlite_error(self._file, cause)
        reason = str(cause or error).splitlines()[0]
        return StartupError(f"The database cannot be used: {reason}.")


def run(arguments: SimpleNamespace) -> int:
    settings = load_effective_settings(arguments)
    if not settings.database_url:
        create_data_directory(settings.data_dir)
    MigrationState(settings.sql_url).upgrade()
    if arguments.command == "db restored":
        runtime = build(settings)
        try:
            skip_numbers(runtime.db.engine)
            ended = browser_sessions.sign_out_all(runtime, None)
            kept_ids = deletion.cancel_restored(runtime)
        finally:
            runtime.db.close()
        print(f"New rows get numbers that no row had; browsers signed out: {ended}.")
        if kept_ids:
            print(
                "Deletions called off, as they may have been undone since the backup: "
                f"runners {', '.join(map(str, sorted(kept_ids)))}."
            )
    else:
        print("The tables are up to date.")
    return 0


def skip_numbers(engine: Engine) -> None:
    """Let new rows have numbers that none had since the backup that is restored.

    Logs, links and bookmarks of that time name rows by numbers that the restored
    tables do not know of.
    """
    names = [
        numbered.name
        for numbered in Model.metadata.sorted_tables
        if numbered.autoincrement_column is not None
    ]
    skip = _skip_on_postgresql if engine.dialect.name == "postgresql" else _skip
    with engine.begin() as connection:
        for name in names:
            skip(connection, name)


def _skip_on_postgresql(connection: Connection, table_name: str) -> None:
    sequence = func.pg_get_serial_sequence(table_name, "id")
    number = func.nextval(sequence) + SKIPPED_NUMBERS
    connection.execute(select(func.setval(sequence, number)))


def _skip(connection: Connection, table_name: str) -> None:
    given = table("sqlite_sequence", column("name"), column("seq"))
    is_given = given.c.name == table_name
    number = given.c.seq + SKIPPED_NUMBERS
    updated = connection.execute(update(given).where(is_given).values(seq=number))
    if not updated.rowcount:
        row = {"name": table_name, "seq": SKIPPED_NUMBERS}
        connection.execute(insert(given).values(row))
