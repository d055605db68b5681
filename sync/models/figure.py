"""Sentences that were decided, so that they stand until the next milestone."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from sync.models.base import Model


class FigureDecision(Model):
    """What one panel said at its last milestone.

    `sealed` is JSON under the runner's own vault key: what a sentence says
    about mood is as private as the answers behind it.  The digest of the rows
    that it was decided from lies in there, too; `revised_at` is set when they
    changed.
    """

    __tablename__ = "figure_decision"

    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), primary_key=True
    )
    panel: Mapped[str] = mapped_column(primary_key=True)
    milestone: Mapped[int]
    rules: Mapped[int]
    data_version: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    decided_at: Mapped[datetime]
    revised_at: Mapped[datetime | None]
