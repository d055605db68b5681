"""Prepare the tables of an instance while it starts, as a process of its own.

Migrates them, and makes sure that the keys are those that sealed what is in them.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from host.data_entries import DataEntry
from host.database import MigrationState
from host.keys import require_known_keys
from host.sqlite_file import (
    build_read_only_url,
    require_usable_file,
    require_whole_file,
)
from sync.crypto import Sealer
from sync.database import open_engine
from sync.errors import MoodmilesError
from sync.setting_urls import find_sqlite_file
from sync.settings import Settings, load


def main() -> int:
    parser = ArgumentParser(prog="python -m host.prepare_database", description=__doc__)
    parser.add_argument("--key-file", type=Path, help="the file that holds the key")
    arguments = parser.parse_args()
    try:
        prepare_database(load(), arguments.key_file)
    except MoodmilesError as error:
        print(f"moodmiles: {error}", file=sys.stderr)
        return 1
    return 0


def prepare_database(settings: Settings, key_file: Path | None) -> None:
    """Migrate the tables; raise before anything is written if they cannot be used."""
    sealer = Sealer([key.get_secret_value() for key in settings.secret_keys])
    tables = MigrationState(settings.sql_url)
    file = find_sqlite_file(settings.sql_url)
    if file is not None:
        secrets_file = settings.data_dir / DataEntry.SECRETS
        require_usable_file(file, was_used=secrets_file.exists())
        require_whole_file(file)
    if file is None or file.exists():
        engine = open_engine(build_read_only_url(file) if file else settings.sql_url)
        try:
            require_known_keys(engine, sealer, key_file)
        except SQLAlchemyError as error:
            raise tables.describe_error(error) from None
        finally:
            engine.dispose()
    tables.upgrade()


if __name__ == "__main__":
    sys.exit(main())
