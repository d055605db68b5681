"""The data directory of one instance: its lock, its secrets and its logs."""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE
from typing import Any

from host.errors import StartupError
from host.logs import rotate_files

INSTANCE_FILE = "instance.json"
SECRETS_FILE = "secrets.json"
_LOCK_FILE = "lock"
_OWN_ENTRIES = {INSTANCE_FILE, SECRETS_FILE, _LOCK_FILE, "demo", "moodmiles.sqlite3"}
_PRIVATE_DIR = 0o700
_OTHERS = 0o077
_PRIVATE_FILE = 0o600


class DataDirectory:
    """One data directory, private to its owner."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"

    def create_folder(self, name: str) -> Path:
        """Return a private folder of this name, made if it is missing."""
        folder = self.path / name
        folder.mkdir(mode=_PRIVATE_DIR, exist_ok=True)
        return folder

    def load_secrets(self) -> dict[str, str]:
        """Return this instance's secrets; make and store those that are missing."""
        stored = self.read_json(SECRETS_FILE)
        generated = {
            "secret_key": os.urandom(48).hex(),
            "redis_password": os.urandom(24).hex(),
            "strava_client_secret": os.urandom(20).hex(),
            "strava_verify_token": os.urandom(24).hex(),
            "strava_webhook_secret": os.urandom(24).hex(),
        }
        if generated.keys() - stored.keys():
            stored = generated | stored
            self.write_json(SECRETS_FILE, stored)
        return stored

    def read_json(self, name: str) -> dict[str, Any]:
        """Return the object in one of our JSON files; empty if there is no file."""
        try:
            values: dict[str, Any] = json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise StartupError(
                f"{self.path / name} cannot be read; restore it from a backup."
            ) from None
        return values

    def write_json(self, name: str, values: dict[str, Any]) -> None:
        """Write a JSON file atomically; only its owner may read it."""
        draft = self.path / f".{name}.new"
        draft.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(draft, flags, _PRIVATE_FILE), "w") as file:
            json.dump(values, file, indent=1)
        draft.replace(self.path / name)

    def rotate_log(self, name: str) -> Path:
        """Rotate the log of the last start and return the path for a new one."""
        path = self.create_folder("logs") / f"{name}.log"
        rotate_files(path)
        return path


@contextmanager
def lock_data_directory(path: Path) -> Generator[DataDirectory]:
    """Lock the data directory for one instance; raise `StartupError` if it is taken."""
    home = DataDirectory(path)
    create_data_directory(path)
    try:
        lock = (home.path / _LOCK_FILE).open("a")
    except OSError as error:
        raise _unusable_directory_error(path, error) from None
    with lock:
        try:
            # Not flock: a fork of ours shall not hold it when we are gone.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartupError(
                f"Another instance is running in {path}; stop it first, or choose "
                "another directory with --data-dir."
            ) from None
        yield home


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
    return StartupError(f"The data directory {path} cannot be used: {error.strerror}.")
