"""What lies in a data directory: what a start can do without, and what it cannot.

What is disposable is made anew by the next start: where it is damaged, it is renamed,
the host is told, and the start goes on.  What is not holds keys, tables or a host's own
files: it is never moved and never overwritten, and a start that needs it says so.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from host.errors import StartupError
from sync.clock import utc_now
from sync.errors import describe_os_error
from sync.part_failures import FAILING_FILE

# So many of each entry are left for who wants to look; older ones are deleted.
MAX_QUARANTINED = 3
_SUFFIX = ".set-aside-"


class DataEntry(StrEnum):
    """Every name in a data directory."""

    SECRETS = "secrets.json"
    DATABASE = "moodmiles.sqlite3"
    DATABASE_LOG = "moodmiles.sqlite3-wal"
    DATABASE_JOURNAL = "moodmiles.sqlite3-journal"
    INSTRUMENTS = "instruments"
    DEMO = "demo"

    DATABASE_INDEX = "moodmiles.sqlite3-shm"
    LOCK = "lock"
    INSTANCE = "instance.json"
    PORTS = "ports.json"
    FAILING_PARTS = FAILING_FILE
    HEARTBEAT = "pulse"
    LOGS = "logs"
    REDIS = "redis"
    MAILBOX = "mailbox"
    SIMULATOR = "simulator"


IRREPLACEABLE = frozenset(
    {
        DataEntry.SECRETS,
        DataEntry.DATABASE,
        DataEntry.DATABASE_LOG,
        DataEntry.DATABASE_JOURNAL,
        DataEntry.INSTRUMENTS,
        DataEntry.DEMO,
    }
)
DISPOSABLE_FOLDERS = frozenset(
    {DataEntry.LOGS, DataEntry.REDIS, DataEntry.MAILBOX, DataEntry.SIMULATOR}
)
DISPOSABLE_FILES = frozenset(DataEntry) - IRREPLACEABLE - DISPOSABLE_FOLDERS
# Their programs open whatever lies in them, and would wait for ever at a pipe.
_REGULAR_FOLDERS = frozenset({DataEntry.REDIS, DataEntry.SIMULATOR})


def draft_name(name: str) -> str:
    """Return the name under which a file is written before it takes its place."""
    return f".{name}.new"


def find_defect(path: Path, entry: DataEntry) -> str:
    """Return why a disposable entry cannot be used; "" if it can, or is missing."""
    if not os.path.lexists(path):
        return ""
    return (
        find_file_defect(path)
        if entry in DISPOSABLE_FILES
        else _find_folder_defect(path, is_deep=entry in _REGULAR_FOLDERS)
    )


def _find_folder_defect(folder: Path, *, is_deep: bool) -> str:
    """Return why a folder cannot be used; `is_deep` looks at all that is in it."""
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        return describe_os_error(error)
    if not S_ISDIR(mode):
        return "it is no folder"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return "it may not be read and written"
    return next(_find_special_files(folder), "") if is_deep else ""


def find_file_defect(path: Path) -> str:
    """Return why a file cannot be read and written; "" if it can."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return describe_os_error(error)
    if not S_ISREG(mode):
        return "it is no plain file"
    if not os.access(path, os.R_OK | os.W_OK):
        return "it may not be read and written"
    return ""


def _find_special_files(folder: Path) -> Iterator[str]:
    """Yield what is neither a file nor a folder, and folders that cannot be read."""
    unreadable: list[OSError] = []
    for parent, _, names in os.walk(folder, onerror=unreadable.append):
        for name in names:
            path = Path(parent, name)
            with suppress(FileNotFoundError):
                if not S_ISREG(path.lstat().st_mode):
                    yield f"{path.relative_to(folder)} in it is no plain file"
    for error in unreadable:
        yield describe_os_error(error)


def quarantine(path: Path) -> Path:
    """Rename something disposable within its folder, and return its new path.

    Raises `StartupError` if it cannot be renamed, or is not disposable after all.
    """
    if path.name in IRREPLACEABLE:
        raise StartupError(f"{path} is never moved: restore it from a backup.")
    # Within its folder: to move a folder of another owner would need their permission.
    target = path.with_name(f"{path.name}{_SUFFIX}{utc_now():%Y%m%dT%H%M%S.%fZ}")
    try:
        path.rename(target)
    except OSError as error:
        raise StartupError(
            f"{path} cannot be used and cannot be renamed "
            f"({describe_os_error(error)}): move it away."
        ) from None
    return target


def restore_quarantined(quarantined: Path, path: Path) -> None:
    """Give something its name back; what was made in its place goes."""
    delete(path)
    quarantined.rename(path)


def list_quarantined(folder: Path, name: str = "*") -> list[Path]:
    """Return what was set aside in a data directory, the oldest first."""
    # By the time in its name, whatever the entry.
    return sorted(
        folder.glob(f"{name}{_SUFFIX}*"),
        key=lambda path: path.name.partition(_SUFFIX)[2],
    )


def delete_old_quarantined(path: Path) -> None:
    """Delete what was set aside of an entry long ago, as far as that is allowed."""
    found = sorted(path.parent.glob(f"{path.name}{_SUFFIX}*"))
    for old in found[:-MAX_QUARANTINED]:
        with suppress(OSError):
            delete(old)


def delete(path: Path) -> None:
    """Delete a file, a link, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
