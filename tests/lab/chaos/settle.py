"""Waiting until nothing is left to do, with the clock moved over every wait."""

from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Select, select

from sync.models import Backfill, Connection, Event, Mail, Sweep
from tests.lab.chaos.installation import Club
from tests.lab.chaos.scenario import Story
from tests.support.table_comparison import undecided

PATIENCE_S = 240
LOOK_EVERY_S = 0.25
SWEEP_EVERY_S = 1.0
# Nothing has moved for so long: whoever works is waiting for a moment to come.
STILL_S = 1.0
STEP_S = 60
# After a month tokens are renewed, under a lease that no step may outlast.
CAREFUL_STEP_S = 30
# What waits for a limit waits with some jitter behind it.
BEYOND_S = 120
FAR = timedelta(hours=8)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def settle(club: Club, story: Story, *, with_sweeps: bool = False) -> list[str]:
    """Wait until everything that was due is done; say what is not in the end."""
    until = club.clocks() + FAR
    patience_ends = monotonic() + PATIENCE_S
    before, moved_at, swept_at = None, monotonic(), 0.0
    while picture := _open(club, story, until=until, with_sweeps=with_sweeps):
        if picture != before:
            before, moved_at = picture, monotonic()
        if monotonic() - moved_at > STILL_S:
            step_s = CAREFUL_STEP_S if with_sweeps else STEP_S
            _move_on(club, min(picture)[0], step_s=step_s)
            moved_at = monotonic()
        if monotonic() - swept_at > SWEEP_EVERY_S:
            club.keep_running()
            club.sweep()
            swept_at = monotonic()
        if monotonic() > patience_ends:
            return [_said(picture)]
        sleep(LOOK_EVERY_S)
    return []


def _move_on(club: Club, first_due: datetime, *, step_s: float) -> None:
    """Go to the next moment at which something is due, or a little further."""
    now = club.clocks()
    if first_due > now:
        club.clocks.forward_to(first_due + timedelta(seconds=BEYOND_S))
    else:
        club.clocks.forward(seconds=step_s)


def _open(
    club: Club, story: Story, *, until: datetime, with_sweeps: bool
) -> list[tuple[datetime, str]]:
    """List what is still to be done: when, and what."""
    story.take_notes()
    now = club.clocks()
    asked: dict[str, Select[Any]] = {
        "event": select(Event.due_at).where(Event.due_at <= until),
        "survey": select(Mail.due_at).where(
            Mail.kind == "survey", Mail.due_at <= until
        ),
        "import": select(Backfill.due_at).where(Backfill.due_at <= until),
        "runner at work": select(Connection.busy_until).where(
            Connection.busy_until > now
        ),
    }
    if with_sweeps:
        asked["sweep"] = select(Sweep.due_at).where(Sweep.due_at <= until)
    found = [(LONG_AGO, "event on its way")] * story.on_their_way
    with club.stage.runtime.db.reading() as session:
        for name, question in asked.items():
            found += [(at, name) for at in session.scalars(question) if at is not None]
    found += [(LONG_AGO, "run undecided")] * undecided(club.stage)
    return sorted(found)


def _said(picture: list[tuple[datetime, str]]) -> str:
    names = [name for _, name in picture]
    counts = ", ".join(f"{names.count(name)} x {name}" for name in sorted(set(names)))
    return f"not settled after {PATIENCE_S} s: {counts}"
