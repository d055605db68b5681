"""Taking back a consent: what it covered goes at once."""

import structlog
from sqlalchemy import delete

from sync.mail import outbox
from sync.models import Answer, CheckinDraw, Export, FigureDecision, MailLink, Runner
from sync.preferences import Preferences
from sync.runners import address, retained_runs
from sync.runners import store as runners
from sync.runtime import Runtime

log = structlog.get_logger()


def withdraw_mood(runtime: Runtime, runner_id: int) -> None:
    """Ask no more and delete every answer, with whatever was concluded from them."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        runner = session.get_one(Runner, runner_id)
        kept = Preferences.of(runner.preferences).stopped().stored()
        runner.preferences = {**runner.preferences, **kept, "checkins": False}
        outbox.cancel_surveys(session, runner_id, "stopped")
        outbox.cancel_digests(session, runner_id, "stopped")
        retained_runs.drop_all(session, runner_id)
        for table in (Answer, FigureDecision, CheckinDraw, Export):
            session.execute(delete(table).where(table.runner_id == runner_id))
        runners.withdraw(session, runner_id, "mood", at=now)
        runners.changed(session, runner_id)
    log.info("consent withdrawn", runner_id=runner_id, consent="mood")


def withdraw_mail(runtime: Runtime, runner_id: int) -> None:
    """Write no more and forget the address; answers on the dashboard go on."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        outbox.cancel_surveys(session, runner_id, "no address")
        session.execute(delete(MailLink).where(MailLink.runner_id == runner_id))
        address.forget(session.get_one(Runner, runner_id))
        runners.withdraw(session, runner_id, "mail", at=now)
    log.info("consent withdrawn", runner_id=runner_id, consent="mail")
