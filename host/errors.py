"""What a person at the command line can do wrong, as opposed to what can fail."""

from sync.errors import MoodmilesError


class UsageError(MoodmilesError):
    """The command was asked for something that does not exist; exit code 2."""


class StartupError(MoodmilesError):
    """Something on this machine is in the way; exit code 1."""
