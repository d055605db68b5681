"""Whether the tables can be written, tried as work writes them."""

import errno
import os
from pathlib import Path
from sqlite3 import (
    SQLITE_CORRUPT,
    SQLITE_FULL,
    SQLITE_IOERR,
    SQLITE_NOTADB,
    SQLITE_PERM,
    SQLITE_READONLY,
)
from tempfile import TemporaryFile

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sync.database import Database
from sync.errors import MoodmilesError, describe_os_error, quote_server
from sync.setting_urls import find_sqlite_file
from sync.vocabulary import StorageFault

# As much as a busy minute writes.  SQLite's log may have room left on a full disk.
_ROOM_BYTES = 256 * 1024
_FAULTS_BY_ERRNO = {
    errno.ENOSPC: StorageFault.FULL,
    errno.EDQUOT: StorageFault.FULL,
    errno.EFBIG: StorageFault.FULL,
    errno.EROFS: StorageFault.READ_ONLY,
    errno.EACCES: StorageFault.READ_ONLY,
    errno.EPERM: StorageFault.READ_ONLY,
    errno.ENOENT: StorageFault.DOWN,
}
_FAULTS_BY_SQLITE_CODE = {
    SQLITE_FULL: StorageFault.FULL,
    SQLITE_READONLY: StorageFault.READ_ONLY,
    SQLITE_PERM: StorageFault.READ_ONLY,
    SQLITE_IOERR: StorageFault.WRITE_FAILED,
    SQLITE_CORRUPT: StorageFault.DAMAGED,
    SQLITE_NOTADB: StorageFault.DAMAGED,
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_FAULTS_BY_STATE = {
    "53100": StorageFault.FULL,  # disk_full
    "25006": StorageFault.READ_ONLY,  # read_only_sql_transaction
    "42501": StorageFault.READ_ONLY,  # insufficient_privilege
    "58030": StorageFault.WRITE_FAILED,  # io_error
    "XX001": StorageFault.DAMAGED,  # data_corrupted
    "XX002": StorageFault.DAMAGED,  # index_corrupted
}
_PRIMARY_CODE = 0xFF


class StorageFailed(MoodmilesError):
    """The tables cannot be written: why, and in whose words."""

    def __init__(self, fault: StorageFault, text: str) -> None:
        super().__init__(f"The database cannot be written ({fault}).")
        self.fault = fault
        self.text = text


def check_storage(db: Database) -> None:
    """Write a row and, beside a SQLite file, a file; raises `StorageFailed`."""
    if file := find_sqlite_file(str(db.engine.url)):
        check_folder(file.parent)
    try:
        db.check_writable()
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StorageFailed(
            diagnose(error), quote_server(str(cause).partition("\n")[0])
        ) from None


def check_folder(folder: Path) -> None:
    """Make room for a file without a name and give it up; raises `StorageFailed`."""
    try:
        with TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, _ROOM_BYTES)
            else:
                file.write(bytes(_ROOM_BYTES))
                file.flush()
    except OSError as error:
        fault = _FAULTS_BY_ERRNO.get(error.errno or 0, StorageFault.WRITE_FAILED)
        raise StorageFailed(fault, describe_os_error(error)) from None


def diagnose(error: SQLAlchemyError) -> StorageFault:
    """Return what an error of the database says about writing."""
    if not isinstance(error, DBAPIError):
        return StorageFault.DOWN
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return _FAULTS_BY_SQLITE_CODE.get(code & _PRIMARY_CODE, StorageFault.DOWN)
    state = getattr(error.orig, "sqlstate", None)
    return _FAULTS_BY_STATE.get(state or "", StorageFault.DOWN)
