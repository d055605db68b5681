"""What a forger needs: another's browser, a token that is nearly right, time."""

from datetime import timedelta

from tests.support.harness import Stage

A_MOMENT = timedelta(seconds=1)
BOXES = {"strava": "1", "mood": "1", "adult": "1"}


def tampered(token: str) -> str:
    """Change the last character, and nothing else."""
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def wait(stage: Stage, time: timedelta) -> None:
    stage.pass_time(seconds=time.total_seconds())
