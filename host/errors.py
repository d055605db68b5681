"""The errors of the command line: wrong use, and a machine that is not ready."""

import errno
from pathlib import Path
from traceback import extract_tb

from sync.errors import MoodmilesError

# Told by the place of an error: to import them takes longer than most commands.
_DATABASE_PACKAGES = {"sqlalchemy", "psycopg"}


_DISK_FAULTS = {
    errno.ENOSPC: "The disk is full: make room on it",
    errno.EDQUOT: "The disk is full for this user: make room, or raise the quota",
    errno.EROFS: "The disk can only be read: mount it for writing",
    errno.EIO: "The disk does not do what it is told: look at it",
    errno.EMFILE: "A process may not open so many files: raise its limit (ulimit -n)",
    errno.ENFILE: "This machine has too many open files: end what holds them",
}


class UsageError(MoodmilesError):
    """A setting or an argument is wrong; exit code 2."""


class StartupError(MoodmilesError):
    """This machine prevents the start; exit code 1."""


class Unencrypted(MoodmilesError):
    """Something works, but may be read or forged on its way: a warning."""


class ActionRequired(MoodmilesError):
    """Something that the host has to do."""


def describe_unforeseen(error: Exception) -> str:
    """Return one sentence for an error that has none: its class, and where to look.

    The text of an error may quote a password.
    """
    if isinstance(error, OSError) and error.errno in _DISK_FAULTS:
        what, _, cure = _DISK_FAULTS[error.errno].partition(": ")
        return f"{what} ({error.strerror}): {cure}, and try again."
    frames = extract_tb(error.__traceback__)
    if any(_DATABASE_PACKAGES & {*Path(frame.filename).parts} for frame in frames):
        return (
            f"The database could not be used ({type(error).__name__}): `moodmiles "
            "doctor database disk` says why."
        )
    place = f", {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return (
        f"This failed in a way that nobody foresaw ({type(error).__name__}{place}): "
        "check the settings it needs, and report it if they are right."
    )


def quote_words(words: str) -> str:
    """Return a server's words as they stand in brackets within a sentence."""
    return words.strip(" .") or "without a word"


def to_one_line(text: str) -> str:
    """Return a sentence as any terminal shows it: it may quote what a host wrote."""
    shown = "".join(
        sign if sign.isprintable() else " " if sign.isspace() else ascii(sign)[1:-1]
        for sign in text
    )
    return " ".join(shown.split())
