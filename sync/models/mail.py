"""The outbox: mails promised, sent, or withheld with a reason."""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from sync.models.base import Model, RowId
from sync.vocabulary import MailKind, SuppressionReason


class Mail(Model):
    """One mail, written in the transaction that decides it.

    `sealed` holds what the template needs (links, address) and is emptied once
    the mail is out, so that no usable link stays at rest.
    """

    __tablename__ = "mail"

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    runner_id: Mapped[int | None] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), index=True
    )
    survey_id: Mapped[int | None] = mapped_column(
        ForeignKey("survey.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[MailKind]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    message_id: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    stale_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    withheld_for: Mapped[SuppressionReason | None]


_DUE = Mail.due_at.is_not(None)
Index("ix_mail_due_at", Mail.due_at, postgresql_where=_DUE, sqlite_where=_DUE)
