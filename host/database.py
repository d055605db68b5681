"""Migrations: bring the tables up to date, or say why they cannot be."""

from argparse import Namespace

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from host.configuration import effective
from host.data_dir import make
from host.errors import CannotStart
from sync.database import connect

_SCRIPTS = "sync:migrations"


class Tables:
    """The tables at one address, seen as a place in the line of migrations."""

    def __init__(self, url: str) -> None:
        self._config = Config()
        self._config.set_main_option("script_location", _SCRIPTS)
        self._config.attributes["url"] = url
        self._scripts = ScriptDirectory.from_config(self._config)
        self._engine: Engine = connect(url)

    def current(self) -> set[str]:
        """Return where the tables are; empty before the first migration."""
        try:
            with self._engine.connect() as connection:
                heads = MigrationContext.configure(connection).get_current_heads()
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise CannotStart(f"The database cannot be used: {reason}.") from None
        finally:
            self._engine.dispose()
        return set(heads)

    def newest(self) -> set[str]:
        return set(self._scripts.get_heads())

    def are_newer_than_us(self) -> bool:
        known = {script.revision for script in self._scripts.walk_revisions()}
        return not self.current() <= known

    def are_current(self) -> bool:
        return self.current() == self.newest()

    def upgrade(self) -> None:
        """Run what is missing; tables of a newer version are left alone."""
        if self.are_newer_than_us():
            raise CannotStart(
                "The database belongs to a newer version of Moodmiles; update "
                "Moodmiles, or restore the backup made before the update."
            )
        if not self.are_current():
            command.upgrade(self._config, "head")


def run(arguments: Namespace) -> int:
    settings = effective(arguments)
    if not settings.database_url:
        make(settings.data_dir)
    Tables(settings.sql_url).upgrade()
    print("The tables are up to date.")
    return 0
