"""Prepare the tables of an instance while it starts, as a process of its own.

Migrates them, and makes sure that the keys are those that sealed what is in them.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from host.data_entries import DataEntry
from host.database import MigrationState
from host.keys import require_known_keys
from host.sqlite_file import (
    find_sqlite_file,
    require_usable_file,
    require_whole_file,
)
from sync.errors import MoodmilesError
from sync.runtime import build
from sync.settings import load


def main() -> int:
    parser = ArgumentParser(prog="python -m host.prepare_database", description=__doc__)
    parser.add_argument("--key-file", type=Path, help="the file that holds the key")
    arguments = parser.parse_args()
    try:
        runtime = build(load())
        file = find_sqlite_file(runtime.settings.sql_url)
        if file is not None:
            secrets_file = runtime.settings.data_dir / DataEntry.SECRETS
            require_usable_file(file, was_used=secrets_file.exists())
            require_whole_file(file)
        MigrationState(runtime.settings.sql_url).upgrade()
        require_known_keys(runtime, arguments.key_file)
        runtime.db.close()
    except MoodmilesError as error:
        print(f"moodmiles: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
