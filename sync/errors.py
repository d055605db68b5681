"""The expected errors, each with one clear sentence as its text."""

from datetime import datetime, timedelta

_MAX_WORDS_LENGTH = 200


class MoodmilesError(Exception):
    """Base of every error raised on purpose; its text is one clear sentence."""


class NotConfigured(MoodmilesError):
    """A setting is missing or wrong; the sentence names it."""


class NotOnStrava(MoodmilesError):
    """Strava says the requested record does not exist, or not for us."""


class AccessRevoked(MoodmilesError):
    """Strava no longer accepts this runner's tokens."""


class ScopeMissing(MoodmilesError):
    """The runner has not given a permission that we need."""


class CodeRefused(MoodmilesError):
    """The authorization code was used before, is too old or was never Strava's."""


class StravaUnavailable(MoodmilesError):
    """Strava gave no answer, or none that we can use."""


class AppInactive(StravaUnavailable):
    """Strava has deactivated this app; only its owner can reactivate it."""


class AppFull(MoodmilesError):
    """Strava lets no more runners connect to this app."""


class RefusedByStrava(MoodmilesError):
    """Strava refused the request; to repeat it will not help."""


class RateLimited(MoodmilesError):
    """Strava's request limit is used up; `until` is when to try again."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"Strava's request limit is used up until {until:%H:%M} UTC")
        self.until = until


class TryLater(MoodmilesError):
    """Not an error: this cannot be done before `after` has passed."""

    def __init__(self, reason: str, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


class StateRefused(MoodmilesError):
    """The OAuth state was not issued here, is too old or was used before."""


class RunnerMismatch(MoodmilesError):
    """This browser is signed in as one runner and returned as another."""


class ConsentMissing(MoodmilesError):
    """A consent that the service requires is missing."""


class ConsentOutdated(ConsentMissing):
    """A text that the runner agreed to has a newer version."""


class DeletionPending(MoodmilesError):
    """The runner has requested deletion, which can still be undone."""


class DeletionBegun(MoodmilesError):
    """A deletion cannot be undone any more; what came with the try is taken back."""


class PrivateScopeMissing(MoodmilesError):
    """A runner with private runs signed in without `activity:read_all`."""


class AddressInUse(MoodmilesError):
    """The address is, or was until lately, that of another account here."""


class CodeMissing(MoodmilesError):
    """A confirmation was opened in another browser, without the code shown there."""


class InvalidAddress(MoodmilesError):
    """The text is not a usable e-mail address."""


def describe_os_error(error: OSError) -> str:
    """Return the system's words for an error, without the path."""
    return error.strerror or type(error).__name__


def quote_server(words: str) -> str:
    """Return what a server said on one line, of a bounded length."""
    printable = "".join(sign if sign.isprintable() else " " for sign in words)
    return " ".join(printable.split())[:_MAX_WORDS_LENGTH]
