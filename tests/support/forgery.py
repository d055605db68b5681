"""What a forger needs: another's browser, a token that is nearly right, time."""

from datetime import timedelta

from tests.support.harness import Harness

MOMENT = timedelta(seconds=1)
CONSENT_FIELDS = {"strava": "1", "mood": "1", "adult": "1"}


def tamper_token(token: str) -> str:
    """Change the last character, and nothing else."""
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def advance_clock(harness: Harness, time: timedelta) -> None:
    harness.advance_clock(seconds=time.total_seconds())
