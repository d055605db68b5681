"""Taking back a consent: what it covered goes at once."""

import structlog
from sqlalchemy import delete

from sync.conflicts import retry_conflicts
from sync.mail import outbox
from sync.models import (
    Answer,
    CheckinDraw,
    DelayDraw,
    Export,
    FigureDecision,
    MailLink,
    Runner,
)
from sync.runners import retained_runs, sign_in_changes
from sync.runners import store as runners
from sync.runners.mail_links import UNDO_PURPOSES
from sync.runtime import Runtime
from sync.vocabulary import ConsentKind, SuppressionReason

log = structlog.get_logger()


@retry_conflicts
def withdraw_mood_consent(runtime: Runtime, runner_id: int) -> None:
    """Ask no more and delete every answer, with whatever was concluded from them."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        runner = session.get_one(Runner, runner_id)
        stopped = runner.preferences.with_mails_stopped()
        runner.preferences = stopped.with_changes(checkins=False)
        outbox.cancel_runner_surveys(session, runner_id, SuppressionReason.STOPPED)
        outbox.cancel_runner_digests(session, runner_id, SuppressionReason.STOPPED)
        retained_runs.remove_all(session, runner_id)
        for table in (Answer, FigureDecision, CheckinDraw, DelayDraw, Export):
            session.execute(delete(table).where(table.runner_id == runner_id))
        runners.withdraw_consent(session, runner_id, ConsentKind.MOOD, at=now)
        runners.bump_data_version(session, runner_id)
    log.info("consent withdrawn", runner_id=runner_id, consent=ConsentKind.MOOD)


@retry_conflicts
def withdraw_mail_consent(runtime: Runtime, runner_id: int) -> None:
    """Write no more and forget the address; answers on the dashboard go on.

    The mail that says so can undo it for seven days: so long the address stays there.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        outbox.cancel_runner_surveys(session, runner_id, SuppressionReason.NO_ADDRESS)
        runner = session.get_one(Runner, runner_id)
        sign_in_changes.leave_address(session, runtime.sealer, runner, now=now)
        session.execute(
            delete(MailLink).where(
                MailLink.runner_id == runner_id,
                MailLink.purpose.not_in(UNDO_PURPOSES),
            )
        )
        runners.withdraw_consent(session, runner_id, ConsentKind.MAIL, at=now)
    log.info("consent withdrawn", runner_id=runner_id, consent=ConsentKind.MAIL)
