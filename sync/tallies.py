"""Counting what is odd, so that a host sees it without any runner's data."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.database import insert
from sync.models import Tally


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


def counted(session: Session) -> dict[str, int]:
    """Return every count by name."""
    rows = session.execute(select(Tally.name, Tally.count.label("times")))
    return {row.name: row.times for row in rows}
