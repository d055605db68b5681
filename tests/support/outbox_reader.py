"""Reading what waits in the outbox, as its template will."""

import json
from typing import Any

from sqlalchemy import select

from sync.models import Mail
from sync.runtime import Runtime
from sync.vocabulary import SealedColumn


def read_pending_mail(runtime: Runtime, kind: str = "survey") -> dict[str, Any]:
    """Return the values of the newest unsent mail of a kind."""
    with runtime.db.read_only() as session:
        sealed = session.scalars(
            select(Mail.sealed)
            .where(Mail.kind == kind, Mail.sealed.is_not(None))
            .order_by(Mail.id.desc())
        ).first()
    assert sealed is not None
    content: dict[str, Any] = json.loads(runtime.sealer.open(sealed, SealedColumn.MAIL))
    return dict(content["values"])


def read_pending_token(runtime: Runtime, kind: str = "survey") -> str:
    return str(read_pending_mail(runtime, kind)["token"])


def list_recipients(runtime: Runtime, kind: str) -> list[str | None]:
    """Return whom the unsent mails of a kind go to; None is the runner's address."""
    with runtime.db.read_only() as session:
        rows = session.scalars(
            select(Mail.sealed)
            .where(Mail.kind == kind, Mail.sealed.is_not(None))
            .order_by(Mail.id)
        ).all()
    return [
        json.loads(runtime.sealer.open(sealed, SealedColumn.MAIL))["to"]
        for sealed in rows
        if sealed
    ]
