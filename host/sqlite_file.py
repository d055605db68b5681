"""The file of a SQLite database: whether it can be used, said before it is opened.

SQLite itself would take an empty file for a new database, delete the log of a missing
one, and follow a link to where no disk is mounted.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from stat import S_ISREG

from host.errors import StartupError
from sync.errors import describe_os_error

_FROM_BACKUP = "restore it from a backup; nothing has been changed."
_LOG_SUFFIXES = ("-wal", "-journal")


def require_usable_file(path: Path, *, was_used: bool = False) -> None:
    """Raise `StartupError` if the file of a database is there and cannot be used.

    `was_used` says that an instance has stored something in it before.
    """
    logs = [Path(f"{path}{suffix}") for suffix in _LOG_SUFFIXES]
    for file in (path, *logs):
        if os.path.lexists(file):
            _require_plain_file(file)
    folder = path.parent
    if os.path.lexists(folder) and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise StartupError(
            f"The folder of the database {path} cannot be written to: give it to the "
            "user that runs Moodmiles."
        )
    is_empty = not _size_of(path)
    if is_empty and any(map(_size_of, logs)):
        raise StartupError(
            f"The database {path} is missing or empty, but not the log of its latest "
            f"changes: {_FROM_BACKUP}"
        )
    if os.path.lexists(path) and is_empty and was_used:
        raise StartupError(
            f"The database {path} is empty, although it has been in use: restore it "
            "from a backup, or delete it to begin anew."
        )


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _require_plain_file(file: Path) -> None:
    try:
        mode = file.stat().st_mode
    except OSError as error:
        reason = describe_os_error(error)
        raise StartupError(
            f"The database's file {file} cannot be used ({reason}): make it readable, "
            "mount the disk that it is on, or restore it from a backup."
        ) from None
    if not S_ISREG(mode):
        raise StartupError(
            f"The database's file {file} is no plain file: {_FROM_BACKUP}"
        )
    if not os.access(file, os.R_OK | os.W_OK):
        raise StartupError(
            f"The database's file {file} may not be read and written: give it to the "
            "user that runs Moodmiles."
        )


def require_whole_file(path: Path) -> None:
    """Raise `StartupError` if a database that is there is damaged; reads all of it."""
    if not os.path.lexists(path):
        return
    try:
        uri = _read_only_uri(path)
        with closing(sqlite3.connect(uri, uri=True, timeout=30)) as connection:
            results = connection.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as error:
        raise describe_sqlite_error(path, error) from None
    if results != [("ok",)]:
        raise StartupError(f"The database {path} is damaged: {_FROM_BACKUP}")


def build_read_only_url(path: Path) -> str:
    return f"sqlite:///{_read_only_uri(path)}&uri=true"


def _read_only_uri(path: Path) -> str:
    """Return how to read a database and change no byte of it.

    Another connection would write the log into the file when it closes.
    """
    return f"{path.as_uri()}?mode=ro"


def describe_sqlite_error(path: Path, error: sqlite3.Error) -> StartupError:
    """Return what a host can do about an error of SQLite's, in one sentence."""
    match error.sqlite_errorcode & 0xFF:
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StartupError(f"The database {path} is damaged: {_FROM_BACKUP}")
        case sqlite3.SQLITE_FULL:
            return StartupError(f"The disk of the database {path} is full: free some.")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StartupError(
                f"The database {path} is in use by another program: end that one."
            )
        case _:
            return StartupError(
                f"The database {path} cannot be used ({error}): see to its disk and "
                "its owner, or restore it from a backup."
            )
