"""Promising a mail, within the transaction that decides it, and taking it back."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from sync.crypto import Sealer
from sync.database import dialect_insert, wake_after_commit
from sync.mail.rendering import check_mail_values
from sync.mail.store import suppress_decisions
from sync.models import Mail
from sync.queue import Job
from sync.vocabulary import MailKind, SealedColumn, SuppressionReason


def enqueue_mail(  # noqa: PLR0913
    session: Session,
    *,
    sealer: Sealer,
    now: datetime,
    dedupe_key: str,
    kind: MailKind,
    runner_id: int | None,
    values: Mapping[str, Any],
    stale_at: datetime,
    due_at: datetime | None = None,
    survey_id: int | None = None,
    to: str | None = None,
    language: str = "",
) -> bool:
    """Put a mail into the outbox; False if this key was promised before.

    It goes to the runner's confirmed address as it is when the mail leaves, or `to`
    the address given.  `values` are said in the mail; `language` is for a runner gone.
    """
    check_mail_values(kind, values)
    due_at = due_at or now
    content = {"to": to, "values": values, "language": language}
    row = {
        "dedupe_key": dedupe_key,
        "kind": kind,
        "runner_id": runner_id,
        "survey_id": survey_id,
        "sealed": sealer.seal(
            json.dumps(content, default=_encode_datetime), SealedColumn.MAIL
        ),
        # The host part joins when the mail first leaves; the rest never changes.
        "message_id": secrets.token_hex(16),
        "created_at": now,
        "due_at": due_at,
        "stale_at": stale_at,
        "attempts": 0,
    }
    insert = dialect_insert(session, Mail).values(row).on_conflict_do_nothing()
    was_inserted = session.scalar(insert.returning(Mail.id)) is not None
    if was_inserted and due_at <= now:
        wake_after_commit(session, Job.OUTBOX)
    return was_inserted


def cancel_survey_mails(
    session: Session, runner_id: int, survey_id: int, reason: SuppressionReason
) -> None:
    """Withhold every mail of a runner's survey that has not left yet."""
    _cancel_matching(session, runner_id, reason, Mail.survey_id == survey_id)


def cancel_runner_surveys(
    session: Session, runner_id: int, reason: SuppressionReason
) -> None:
    """Withhold every survey mail of a runner that has not left yet."""
    _cancel_matching(session, runner_id, reason, Mail.survey_id.is_not(None))


def cancel_runner_digests(
    session: Session, runner_id: int, reason: SuppressionReason
) -> None:
    """Withhold every look back on a week that has not left yet."""
    _cancel_matching(session, runner_id, reason, Mail.kind == MailKind.DIGEST)


def _cancel_matching(
    session: Session,
    runner_id: int,
    reason: SuppressionReason,
    condition: ColumnElement[bool],
) -> None:
    pending = (Mail.runner_id == runner_id, condition, Mail.due_at.is_not(None))
    suppress_decisions(session, runner_id, reason, *pending)
    session.execute(
        update(Mail)
        .where(*pending)
        .values(due_at=None, withheld_for=reason, sealed=None)
    )


def _encode_datetime(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a mail cannot carry a {type(value).__name__}")
