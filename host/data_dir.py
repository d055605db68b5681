"""The data directory of one instance: its lock, its secrets and its logs."""

import fcntl
import json
import os
import re
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import Any, TextIO

from host.data_entries import (
    DISPOSABLE_FILES,
    DISPOSABLE_FOLDERS,
    DataEntry,
    delete_old_quarantined,
    draft_name,
    find_defect,
    find_file_defect,
    quarantine,
    restore_quarantined,
)
from host.errors import StartupError
from host.logs import rotate_files
from sync.errors import describe_os_error
from sync.secret_strength import RULES, SecretRule, find_weakness

_PRIVATE_DIR = 0o700
_OTHERS = 0o077
_PRIVATE_FILE = 0o600
_KEY_DIGITS = 96
# A file of ours has some hundred; a broken disk may show one of any size.
_MAX_JSON_BYTES = 1_000_000
# Names that nobody else gives: what holds one is a data directory.
_OWN_ENTRIES = {
    *(DataEntry.INSTANCE, DataEntry.SECRETS, DataEntry.LOCK),
    *(DataEntry.DEMO, DataEntry.DATABASE),
}
_HEX_DIGITS = re.compile(r"[0-9a-f]*")


class UnreadableFile(Exception):
    """A file of ours is there and cannot be read; its text is the reason."""


def print_message(sentence: str) -> None:
    """Tell the host something, on standard error."""
    print(f"moodmiles: {sentence}", file=sys.stderr, flush=True)


class DataDirectory:
    """One data directory, private to its owner; `report` tells the host a sentence."""

    def __init__(
        self, path: Path, report: Callable[[str], None] = print_message
    ) -> None:
        self.path = path.absolute()
        self.logs = self.path / DataEntry.LOGS
        self.report = report

    def create_folder(self, name: str) -> Path:
        """Return a private folder of this name, made if it is missing."""
        folder = self.path / name
        folder.mkdir(mode=_PRIVATE_DIR, exist_ok=True)
        return folder

    def set_damaged_aside(self) -> None:
        """Rename each disposable entry that is not what it should be, and report it.

        The lock is not among them: see `lock_data_directory`.
        """
        for entry in sorted((DISPOSABLE_FILES | DISPOSABLE_FOLDERS) - {DataEntry.LOCK}):
            if reason := find_defect(self.path / entry, entry):
                self.set_aside(self.path / entry, reason)

    def set_aside(self, path: Path, reason: str) -> Path:
        """Rename something disposable, report it, and return its new path."""
        quarantined = quarantine(path)
        self.report_quarantined(path, quarantined, reason)
        return quarantined

    def report_quarantined(self, path: Path, quarantined: Path, reason: str) -> None:
        delete_old_quarantined(path)
        self.report(
            f"{path} could not be used ({reason.rstrip('.')}): it is now "
            f"{quarantined.name}, and a new one is made."
        )

    def load_secrets(self) -> dict[str, str]:
        """Return this instance's secrets; those that are missing are new.

        They last only with `store_secrets`.  Raises `StartupError` if the file is there
        and damaged: it holds the key to the stored data, and is never replaced.
        """
        generated = {
            "secret_key": os.urandom(_KEY_DIGITS // 2).hex(),
            "redis_password": os.urandom(24).hex(),
            "strava_client_secret": os.urandom(20).hex(),
            "strava_verify_token": os.urandom(24).hex(),
            "strava_webhook_secret": os.urandom(24).hex(),
        }
        path = self.path / DataEntry.SECRETS
        try:
            stored = read_object(path)
            require_secrets(stored)
        except FileNotFoundError:
            return generated
        except UnreadableFile as error:
            cure = (
                "restore it from a backup"
                if os.access(path, os.R_OK) or not path.exists()
                else "let Moodmiles' user read it, or restore it from a backup"
            )
            raise StartupError(
                f"{path}, which holds the key to all that is stored, cannot be used "
                f"({error}): {cure}."
            ) from None
        return generated | stored

    def store_secrets(self, secrets: Mapping[str, str]) -> None:
        """Store the secrets, unless they are those in the file."""
        path = self.path / DataEntry.SECRETS
        if not os.path.lexists(path) or read_object(path) != secrets:
            self.write_json(DataEntry.SECRETS, secrets)

    def read_json(self, entry: DataEntry) -> dict[str, Any]:
        """Return the object in a disposable file; empty if it is missing.

        A file that cannot be read is set aside.
        """
        path = self.path / entry
        try:
            return read_object(path)
        except FileNotFoundError:
            return {}
        except UnreadableFile as error:
            self.set_aside(path, str(error))
            return {}

    def write_json(self, name: str, values: Mapping[str, Any]) -> None:
        """Write a JSON file atomically; only its owner may read it.

        It is whole also after a power cut: either the former one, or this one.
        """
        path, draft = self.path / name, self.path / draft_name(name)
        if draft.is_dir() and not draft.is_symlink():
            self.set_aside(draft, "it is a folder")
        draft.unlink(missing_ok=True)
        if name in DISPOSABLE_FILES and (reason := find_defect(path, DataEntry(name))):
            self.set_aside(path, reason)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(draft, flags, _PRIVATE_FILE), "w") as file:
            json.dump(values, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def rotate_log(self, name: str) -> Path:
        """Rotate the log of the last start and return the path for a new one."""
        path = self.create_folder(DataEntry.LOGS) / f"{name}.log"
        try:
            rotate_files(path)
        except OSError as error:
            self.set_aside(self.logs, describe_os_error(error))
            self.create_folder(DataEntry.LOGS)
        return path


@dataclass(frozen=True, slots=True)
class PartFolder:
    """The folder of a part's own files, which the part can start without.

    `prepare` makes it, with what the part needs of us in it.
    """

    path: Path
    home: DataDirectory
    prepare: Callable[[], object]

    def replace(self) -> Path:
        """Rename the folder, make an empty one, and return where the files are now."""
        quarantined = quarantine(self.path)
        self.prepare()
        return quarantined

    def restore(self, quarantined: Path) -> None:
        """Give the files their place back: they were not to blame."""
        restore_quarantined(quarantined, self.path)

    def report_replaced(self, quarantined: Path, reason: str) -> None:
        self.home.report_quarantined(self.path, quarantined, reason)


def read_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises `FileNotFoundError` if nothing is there, `UnreadableFile` if something else.
    """
    if not os.path.lexists(path):
        raise FileNotFoundError(path)
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise UnreadableFile("it is no plain file")
        if status.st_size > _MAX_JSON_BYTES:
            raise UnreadableFile("it is damaged")
        values = json.loads(path.read_bytes())
    except OSError as error:
        raise UnreadableFile(describe_os_error(error)) from None
    except (ValueError, RecursionError):
        raise UnreadableFile("it is damaged") from None
    if not isinstance(values, dict):
        raise UnreadableFile("it is damaged")
    return values


def require_secrets(stored: Mapping[str, Any]) -> None:
    """Raise `UnreadableFile` if the file of the secrets does not hold whole ones."""
    for name, value in stored.items():
        if not isinstance(value, str) or not value.isprintable() or " " in value:
            raise UnreadableFile(f"its {name} is damaged")
        is_key = name == "secret_key"
        rule = RULES.get("secret_keys" if is_key else name, SecretRule(1))
        for secret in value.split(",") if is_key else [value]:
            if weakness := find_weakness(secret, rule):
                raise UnreadableFile(f"its {name} {weakness}")
            # A key that a host wrote there has the length that they chose.
            if is_key and _HEX_DIGITS.fullmatch(secret) and len(secret) != _KEY_DIGITS:
                raise UnreadableFile(
                    f"its {name} has {len(secret)} of {_KEY_DIGITS} characters"
                )


@contextmanager
def lock_data_directory(path: Path) -> Generator[DataDirectory]:
    """Lock the data directory for one instance; raise `StartupError` if it is taken.

    What is damaged in it and can be made anew is set aside.
    """
    home = DataDirectory(path)
    create_data_directory(path)
    with _open_lock_file(home) as lock:
        try:
            # Not flock: a fork of ours shall not hold it when we are gone.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartupError(
                f"Another instance is running in {path}; stop it first, or choose "
                "another directory with --data-dir."
            ) from None
        home.set_damaged_aside()
        yield home


def _open_lock_file(home: DataDirectory) -> TextIO:
    """Open the file of the lock; it is made anew unless an instance may hold it."""
    path = home.path / DataEntry.LOCK
    reason = find_file_defect(path) if os.path.lexists(path) else ""
    if reason and _is_locked(path):
        raise StartupError(
            f"Another instance of another user is running in {home.path}; stop it "
            "first, or choose another directory with --data-dir."
        )
    try:
        if reason:
            home.set_aside(path, reason)
        return path.open("a")
    except OSError as error:
        raise _unusable_directory_error(home.path, error) from None


def _is_locked(path: Path) -> bool:
    """Whether a process holds a lock file that may not be written to."""
    with suppress(OSError):
        if S_ISREG(path.lstat().st_mode):
            with path.open() as lock:
                try:
                    fcntl.lockf(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    return True
    return False


def create_data_directory(path: Path) -> None:
    """Make the data directory and its parents, and close it to other people.

    Raises `StartupError` if it is open and holds files of others, or is unusable.
    """
    directory = path.absolute()
    try:
        for folder in [*reversed(directory.parents), directory]:
            if not folder.exists():
                folder.mkdir(mode=_PRIVATE_DIR)
        if not S_IMODE(directory.stat().st_mode) & _OTHERS:
            return
        names = {entry.name for entry in directory.iterdir()}
        if names and not names & _OWN_ENTRIES:
            # Closing somebody's home or /tmp to everyone else would be rude.
            raise StartupError(
                f"The data directory {directory} holds other files and is open to "
                "other people; choose a directory of its own with --data-dir."
            )
        directory.chmod(_PRIVATE_DIR)
    except OSError as error:
        raise _unusable_directory_error(path, error) from None


def _unusable_directory_error(path: Path, error: OSError) -> StartupError:
    return StartupError(
        f"The data directory {path} cannot be used ({describe_os_error(error)}): make "
        "it a folder of yours that can be written to, or choose another one with "
        "--data-dir."
    )
