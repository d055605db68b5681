"""The state of work that has no row of its own."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sync.models.base import Model


class RunnerWork(Model):
    """One kind of work about one runner, from its claim until it is done.

    `due_at` is the end of its lease or of its backoff.  `set_aside_for` names the
    class of the error after which the host is told and the work is tried only
    once a day.  No row means that nothing has failed.
    """

    __tablename__ = "runner_work"

    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), primary_key=True
    )
    job: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    attempts: Mapped[int]
    set_aside_for: Mapped[str | None]
