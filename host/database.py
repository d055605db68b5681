"""`moodmiles db upgrade`: migrations of the tables."""

from types import SimpleNamespace

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from host.configuration import load_effective_settings
from host.data_dir import create_data_directory
from host.errors import StartupError
from sync.database import open_engine

_SCRIPTS = "sync:migrations"


class MigrationState:
    """The revision of the tables at one address, compared with the migrations."""

    def __init__(self, url: str) -> None:
        self._config = Config()
        self._config.set_main_option("script_location", _SCRIPTS)
        self._config.attributes["url"] = url
        self._scripts = ScriptDirectory.from_config(self._config)
        self._engine: Engine = open_engine(url)

    def current_revisions(self) -> set[str]:
        """Return the tables' revisions; empty before the first migration."""
        try:
            with self._engine.connect() as connection:
                heads = MigrationContext.configure(connection).get_current_heads()
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise StartupError(f"The database cannot be used: {reason}.") from None
        finally:
            self._engine.dispose()
        return set(heads)

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
        if not self.is_current():
            command.upgrade(self._config, "head")


def run(arguments: SimpleNamespace) -> int:
    settings = load_effective_settings(arguments)
    if not settings.database_url:
        create_data_directory(settings.data_dir)
    MigrationState(settings.sql_url).upgrade()
    print("The tables are up to date.")
    return 0
