"""Counting what is odd, so that a host sees it without any runner's data."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.database import insert
from sync.errors import (
    AccessRevoked,
    MoodmilesError,
    NotOnStrava,
    ScopeMissing,
    TryLater,
)
from sync.models import Tally

TROUBLE = "Strava: "
# These say something about one runner or one run, not about Strava and us.
_PRIVATE = (AccessRevoked, NotOnStrava, ScopeMissing, TryLater)


def count(session: Session, name: str, *, at: datetime) -> None:
    """Note that `name` has happened once more."""
    session.execute(
        insert(session, Tally)
        .values(name=name, count=1, latest_at=at)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"count": Tally.count + 1, "latest_at": at},
        )
    )


def trouble(session: Session, error: MoodmilesError, *, at: datetime) -> None:
    """Note that Strava has failed us, if `error` says so."""
    if not isinstance(error, _PRIVATE):
        count(session, f"{TROUBLE}{type(error).__name__}", at=at)


def latest_trouble(session: Session) -> tuple[str, datetime] | None:
    """Return how Strava failed us last, and when."""
    last = session.scalar(
        select(Tally)
        .where(Tally.name.startswith(TROUBLE))
        .order_by(Tally.latest_at.desc())
        .limit(1)
    )
    return (last.name.removeprefix(TROUBLE), last.latest_at) if last else None


def counted(session: Session) -> dict[str, int]:
    """Return every count by name."""
    rows = session.execute(select(Tally.name, Tally.count.label("times")))
    return {row.name: row.times for row in rows}
