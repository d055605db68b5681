"""What can go wrong, said in our own words."""

from datetime import datetime, timedelta


class MoodmilesError(Exception):
    """Base of every error raised on purpose; its text is one clear sentence."""


class NotConfigured(MoodmilesError):
    """A setting is missing or wrong; the sentence names it."""


class NotOnStrava(MoodmilesError):
    """Strava says the thing we asked for is not there (or not ours to see)."""


class AccessRevoked(MoodmilesError):
    """Strava no longer accepts this runner's tokens."""


class ScopeMissing(MoodmilesError):
    """The runner unticked a permission that we need."""


class CodeRefused(MoodmilesError):
    """The authorization code was used before, is too old or was never Strava's."""


class StravaUnavailable(MoodmilesError):
    """Strava did not answer, or answered with something we cannot use."""


class AppInactive(StravaUnavailable):
    """Strava has switched this app off; only its owner can reactivate it."""


class AppFull(MoodmilesError):
    """Strava lets no more runners connect to this app."""


class RefusedByStrava(MoodmilesError):
    """Strava understood the request and said no; asking again will not help."""


class RateLimited(MoodmilesError):
    """Strava asked everybody to wait until a window's boundary."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"Strava's request limit is used up until {until:%H:%M} UTC")
        self.until = until


class TryLater(MoodmilesError):
    """Nothing is wrong, but this cannot be done before some time has passed."""

    def __init__(self, reason: str, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


class StateRefused(MoodmilesError):
    """The visit to Strava was not started here, is too old or was used before."""


class RunnerMismatch(MoodmilesError):
    """This browser is signed in as one runner and came back as another."""


class ConsentMissing(MoodmilesError):
    """A box that the service cannot do without was left unticked."""


class ConsentOutdated(ConsentMissing):
    """What was agreed to has a newer text, which the runner has not seen yet."""


class DeletionPending(MoodmilesError):
    """The runner has asked for everything to be deleted; it can still be undone."""


class PrivateScopeMissing(MoodmilesError):
    """A runner who lets us see private runs signed in without asking Strava so."""


class InvalidAddress(MoodmilesError):
    """That is not an e-mail address we could write to."""
