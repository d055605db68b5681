"""The data directory of one instance: its lock, its secrets and its logs."""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE
from typing import Any

from host.errors import CannotStart
from host.logs import rotate

INSTANCE_FILE = "instance.json"
SECRETS_FILE = "secrets.json"
_LOCK_FILE = "lock"
_OURS = {INSTANCE_FILE, SECRETS_FILE, _LOCK_FILE, "demo", "moodmiles.sqlite3"}
_PRIVATE_DIR = 0o700
_PRIVATE_FILE = 0o600


class Home:
    """One data directory, private to its owner."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"

    def folder(self, name: str) -> Path:
        """Return a folder of ours, made if need be."""
        folder = self.path / name
        folder.mkdir(mode=_PRIVATE_DIR, exist_ok=True)
        return folder

    def secrets(self) -> dict[str, str]:
        """Return the secrets of this instance, made once and then kept."""
        kept = self.read(SECRETS_FILE)
        made = {
            "secret_key": os.urandom(48).hex(),
            "redis_password": os.urandom(24).hex(),
            "strava_client_secret": os.urandom(20).hex(),
            "strava_verify_token": os.urandom(24).hex(),
            "strava_webhook_secret": os.urandom(24).hex(),
        }
        if made.keys() - kept.keys():
            kept = made | kept
            self.write(SECRETS_FILE, kept)
        return kept

    def read(self, name: str) -> dict[str, Any]:
        """Return what one of our JSON files holds; nothing if there is none."""
        try:
            values: dict[str, Any] = json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise CannotStart(
                f"{self.path / name} cannot be read; restore it from a backup."
            ) from None
        return values

    def write(self, name: str, values: dict[str, Any]) -> None:
        """Write a file that only its owner may read, whole or not at all."""
        draft = self.path / f".{name}.new"
        draft.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(draft, flags, _PRIVATE_FILE), "w") as file:
            json.dump(values, file, indent=1)
        draft.replace(self.path / name)

    def fresh_log(self, name: str) -> Path:
        """Set the last start's log aside and return the path for a new one."""
        path = self.folder("logs") / f"{name}.log"
        rotate(path)
        return path


@contextmanager
def opened(path: Path) -> Generator[Home]:
    """Hold the data directory for one instance, or say why that cannot be."""
    home = Home(path)
    make(path)
    try:
        lock = (home.path / _LOCK_FILE).open("a")
    except OSError as error:
        raise _unusable(path, error) from None
    with lock:
        try:
            # Not flock: a fork of ours shall not hold it when we are gone.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(
                f"Another instance is running in {path}; stop it first, or choose "
                "another directory with --data-dir."
            ) from None
        yield home


def make(path: Path) -> None:
    """Make the data directory if need be, and see that it is private."""
    try:
        _make_private(path.absolute())
    except OSError as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: OSError) -> CannotStart:
    return CannotStart(f"The data directory {path} cannot be used: {error.strerror}.")


def _make_private(path: Path) -> None:
    if not path.exists():
        if not path.parent.exists():
            _make_private(path.parent)
        path.mkdir(mode=_PRIVATE_DIR)
        return
    if not S_IMODE(path.stat().st_mode) & 0o077:
        return
    names = {entry.name for entry in path.iterdir()}
    if names and not names & _OURS:
        # Closing somebody's home or /tmp to everyone else would be rude.
        raise CannotStart(
            f"The data directory {path} holds other files and is open to other "
            "people; choose a directory of its own with --data-dir."
        )
    path.chmod(_PRIVATE_DIR)
