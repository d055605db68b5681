"""What the host should know: our subscription at Strava, and counts of oddities."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from sync.models.base import Model


class Subscription(Model):
    """The number under which Strava tells us about runs; events name it."""

    __tablename__ = "subscription"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    made_at: Mapped[datetime]


class Counter(Model):
    """How often something odd happened, such as an event about nobody we know."""

    __tablename__ = "tally"

    name: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    latest_at: Mapped[datetime]
