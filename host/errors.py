"""The errors of the command line: wrong use, and a machine that is not ready."""

from sync.errors import MoodmilesError


class UsageError(MoodmilesError):
    """A setting or an argument is wrong; exit code 2."""


class StartupError(MoodmilesError):
    """This machine prevents the start; exit code 1."""


class Unencrypted(MoodmilesError):
    """Something works, but may be read or forged on its way: a warning."""
