"""The inbox: what Strava told us, each delivery once."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from sync.models.base import Model, RowId
from sync.vocabulary import EventAspect, EventSubject


class Event(Model):
    """One event; due until `due_at` is empty, parked when `parked_for` says why.

    `misses` counts how often Strava did not show the run.  Of `updates` we keep the
    fields that we act on, and no text that a runner wrote.
    """

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    subject: Mapped[EventSubject]
    subject_id: Mapped[int] = mapped_column(BigInteger)
    aspect: Mapped[EventAspect]
    athlete_id: Mapped[int] = mapped_column(BigInteger, index=True)
    updates: Mapped[dict[str, Any]]
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    misses: Mapped[int] = mapped_column(default=0, server_default="0")
    parked_for: Mapped[str | None]


_IS_WAITING = Event.due_at.is_not(None)
Index(
    "ix_event_athlete_id_waiting",
    Event.athlete_id,
    postgresql_where=_IS_WAITING,
    sqlite_where=_IS_WAITING,
)
