"""Agreeing again: a new version of a text is asked about before anything goes on."""

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from sync import account_state, consent_version
from sync.conflicts import retry_conflicts
from sync.database import wake_after_commit
from sync.errors import ConsentMissing
from sync.mail import outbox
from sync.models import Consent, Mail, ReconcileState, Runner
from sync.queue import Job
from sync.runners import store
from sync.runtime import Runtime
from sync.vocabulary import ConsentKind, MailKind

log = structlog.get_logger()

OPTIONAL_KINDS = frozenset({ConsentKind.PRIVATE})
_MAIL_LIFE = timedelta(days=7)
# Further back than any comparison lies: the next one goes through the whole list.
_LONG_AGO = timedelta(days=365)


def load_outdated(runtime: Runtime, runner_id: int) -> dict[ConsentKind, datetime]:
    """Return what the runner agreed to in an older text only, and when."""
    with runtime.db.read_only() as session:
        return account_state.outdated_consents(session, runner_id)


@retry_conflicts
def renew_consents(runtime: Runtime, runner_id: int, kinds: Collection[str]) -> None:
    """Record that the runner agrees to today's text, and resume the collection.

    Consents of `OPTIONAL_KINDS` that are not among `kinds` are withdrawn.  Raises
    `ConsentMissing` if another that is outdated is not among them.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        pending = account_state.outdated_consents(session, runner_id)
        if set(pending) - set(kinds) - OPTIONAL_KINDS:
            raise ConsentMissing("Not everything was agreed to again.")
        if not pending:
            return
        agreed = set(pending) & set(kinds)
        store.record_consents(
            session, runner_id, agreed, version=consent_version.VERSION, at=now
        )
        for kind in set(pending) - agreed:
            store.withdraw_consent(session, runner_id, kind, at=now)
        resume_collection(session, runner_id, now=now)
    log.info("agreed again", runner_id=runner_id, version=consent_version.VERSION)


@retry_conflicts
def request_renewals(runtime: Runtime) -> None:
    """Mail each runner with an outdated consent once for each new text.

    Who agreed on another instance alone is asked when they come, and not by mail.
    """
    dedupe_prefix = f"agree:{consent_version.VERSION}:"
    asked_ids = select(Mail.runner_id).where(
        Mail.kind == MailKind.AGREE_AGAIN, Mail.dedupe_key.like(f"{dedupe_prefix}%")
    )
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        runner_ids = session.scalars(
            select(Runner.id).where(
                account_state.has_outdated_consent(Runner.id),
                exists().where(Consent.runner_id == Runner.id, ~Consent.from_file),
                Runner.erase_at.is_(None),
                Runner.id.not_in(asked_ids),
            )
        ).all()
        for runner_id in runner_ids:
            outbox.enqueue_mail(
                session,
                sealer=runtime.sealer,
                now=now,
                dedupe_key=f"{dedupe_prefix}{runner_id}",
                kind=MailKind.AGREE_AGAIN,
                runner_id=runner_id,
                values={},
                stale_at=now + _MAIL_LIFE,
            )
            log.info("asked to agree again", runner_id=runner_id)


def resume_collection(session: Session, runner_id: int, *, now: datetime) -> None:
    """Compare the whole list from its newest page on, which shows what was missed."""
    checkpoint = {"before": None, "down_to": None, "next_page": 1}
    session.execute(
        update(ReconcileState)
        .where(ReconcileState.runner_id == runner_id)
        .values(due_at=now, compared_at=now - _LONG_AGO, **checkpoint)
    )
    for job in Job:
        wake_after_commit(session, job)
