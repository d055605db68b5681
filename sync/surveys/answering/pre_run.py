"""A bookmark for the way out: one tap says how the runner feels before a run."""

from datetime import timedelta

import structlog
from sqlalchemy import select

from sync.errors import MoodmilesError
from sync.models import Answer, Runner
from sync.runners import signed_links
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import instruments

log = structlog.get_logger()

_PURPOSE = "before"
# A second tap within this time corrects the first.
CHANGEABLE_FOR = timedelta(minutes=10)


class NotYours(MoodmilesError):
    """The bookmark belongs to nobody here."""


def token_for(runtime: Runtime, runner_id: int) -> str:
    """Return the runner's bookmark: it can say how they feel and nothing else."""
    return signed_links.token_for(runtime, runner_id, purpose=_PURPOSE)


def holder(runtime: Runtime, token: str) -> int | None:
    return signed_links.holder(runtime, token, purpose=_PURPOSE)


def record(runtime: Runtime, *, token: str, mood: int) -> None:
    """Keep how the runner feels now; a run that starts soon finds it again.

    Raises `BadAnswer` or `NotYours`.
    """
    said = instruments.checked({"mood": mood})
    runner_id = holder(runtime, token)
    if runner_id is None:
        raise NotYours("This bookmark does not belong to anybody here.")
    with runtime.db.transaction() as session:
        runners.require_mood_consent(session, runner_id)
        now = runtime.db.now(session)
        vault = runtime.sealer.vault(session.get_one(Runner, runner_id).vault_key)
        last = session.scalars(
            select(Answer)
            .where(
                Answer.runner_id == runner_id,
                Answer.kind == "before",
                Answer.answered_at > now - CHANGEABLE_FOR,
            )
            .order_by(Answer.answered_at.desc())
        ).first()
        if last is not None:
            last.sealed = vault.seal(said)
            last.changed_at = now
        else:
            session.add(
                Answer(
                    runner_id=runner_id,
                    kind="before",
                    instrument=instruments.library().current("before").id,
                    reversed_order=runner_id % 2 == 1,
                    answered_at=now,
                    tags={},
                    sealed=vault.seal(said),
                )
            )
        runners.answered(session, runner_id, now=now)
    log.info("before kept", runner_id=runner_id)
