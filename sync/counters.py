"""Counters of unusual events, which a host sees without any runner's data."""

from datetime import datetime
from functools import lru_cache

from sqlalchemy import Executable, bindparam, delete, select
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.database import WRITE_CHECK, Database, count_up, dialect_insert
from sync.errors import (
    AccessRevoked,
    MoodmilesError,
    NotOnStrava,
    ScopeMissing,
    TryLater,
)
from sync.models import Counter

STRAVA_ERROR_PREFIX = "Strava: "
# These say something about one runner or one run, not about Strava and us.
_NOT_STRAVA_FAILURES = (AccessRevoked, NotOnStrava, ScopeMissing, TryLater)


def increment(session: Session, name: str, *, at: datetime) -> None:
    """Add one to the counter `name`."""
    session.execute(
        dialect_insert(session, Counter)
        .values(name=name, count=1, latest_at=at)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"count": count_up(Counter.count), "latest_at": at},
        )
    )


@retry_conflicts
def increment_alone(db: Database, name: str) -> None:
    """Add one to the counter `name` in a transaction of its own.

    It costs a fraction of `increment`: for what may come by the thousand.
    """
    db.execute_autocommit(_increment_statement(db), {"name": name})


@lru_cache(maxsize=4)  # building it costs more than running it
def _increment_statement(db: Database) -> Executable:
    statement = dialect_insert(db.engine, Counter).values(
        name=bindparam("name", type_=Counter.name.type),
        count=1,
        latest_at=db.now_expression,
    )
    return statement.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "count": count_up(Counter.count),
            "latest_at": statement.excluded.latest_at,
        },
    ).returning(Counter.count)


def reset(session: Session, prefix: str) -> None:
    """Forget every counter whose name begins with `prefix`."""
    session.execute(delete(Counter).where(Counter.name.startswith(prefix)))


def record_strava_error(
    session: Session, error: MoodmilesError, *, at: datetime
) -> None:
    """Count an error that is Strava's, not one runner's or one run's."""
    if not isinstance(error, _NOT_STRAVA_FAILURES):
        increment(session, f"{STRAVA_ERROR_PREFIX}{type(error).__name__}", at=at)


def latest_strava_error(session: Session) -> tuple[str, datetime] | None:
    """Return the class name and the time of Strava's latest error."""
    counter = session.scalar(
        select(Counter)
        .where(Counter.name.startswith(STRAVA_ERROR_PREFIX))
        .order_by(Counter.latest_at.desc())
        .limit(1)
    )
    return (
        (counter.name.removeprefix(STRAVA_ERROR_PREFIX), counter.latest_at)
        if counter
        else None
    )


def load_counts(session: Session) -> dict[str, int]:
    """Return every count by name."""
    rows = session.execute(
        select(Counter.name, Counter.count.label("times")).where(
            Counter.name != WRITE_CHECK
        )
    )
    return {row.name: row.times for row in rows}
