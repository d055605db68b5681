"""When what the dashboard remembers no longer holds."""

from collections.abc import Hashable

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from sync.models import Decision, Runner, Survey


def state_of(session: Session, runner: Runner) -> Hashable:
    """Return what differs whenever a row differs that the pages show.

    Runs and answers have a version of their own; decisions and mails come later,
    and a mail that is withheld turns its decision round.
    """
    decided = session.execute(
        select(
            func.count(),
            func.count(case((Decision.verdict == "send", 1))),
            func.max(Decision.decided_at),
        ).where(Decision.runner_id == runner.id)
    ).one()
    asked = session.execute(
        select(
            func.count(Survey.run_id),
            func.count(Survey.sent_at),
            func.count(Survey.cancelled_for),
        ).where(Survey.runner_id == runner.id)
    ).one()
    return runner.vault_key, runner.data_version, tuple(decided), tuple(asked)
