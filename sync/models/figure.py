"""Sentences that were decided, so that they stand until the next milestone."""

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from sync.models.base import Model


class FigureDecision(Model):
    """What one panel said at its last milestone, or that it has said nothing yet.

    `sealed` is JSON under the runner's own vault key: what a sentence says
    about mood is as private as the answers behind it, and so is when it was
    decided, from how many answers, and the digest of their rows.  Every panel has
    a row, and all are written together, for each state of the data that was looked
    at: neither a row nor its time tells that something was decided.
    """

    __tablename__ = "figure_decision"

    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), primary_key=True
    )
    panel: Mapped[str] = mapped_column(primary_key=True)
    data_version: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
