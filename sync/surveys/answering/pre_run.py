"""A bookmark for the way out: one tap says how the runner feels before a run."""

from datetime import timedelta

import structlog
from sqlalchemy import select

from sync.conflicts import retry_conflicts
from sync.errors import MoodmilesError
from sync.models import Answer, Runner
from sync.runners import signed_links
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import instruments
from sync.vocabulary import AnswerKind, InstrumentKind, SignedLinkPurpose

log = structlog.get_logger()

_LINK_PURPOSE = SignedLinkPurpose.PRE_RUN
# A second tap within this time corrects the first.
CORRECTION_WINDOW = timedelta(minutes=10)


class InvalidPreRunLink(MoodmilesError):
    """The bookmark belongs to nobody here."""


def create_token(runtime: Runtime, runner_id: int) -> str:
    """Return the runner's bookmark: it can say how they feel and nothing else."""
    return signed_links.create_token(runtime, runner_id, purpose=_LINK_PURPOSE)


def find_runner_id(runtime: Runtime, token: str) -> int | None:
    return signed_links.find_token_runner(runtime, token, purpose=_LINK_PURPOSE)


@retry_conflicts
def record_mood(runtime: Runtime, *, token: str, mood: int) -> None:
    """Keep how the runner feels now; a run that starts soon finds it again.

    Raises `InvalidAnswer` or `InvalidPreRunLink`.
    """
    values = instruments.check_values({"mood": mood})
    runner_id = find_runner_id(runtime, token)
    if runner_id is None:
        raise InvalidPreRunLink("This bookmark does not belong to anybody here.")
    with runtime.db.transaction(runner_id=runner_id) as session:
        runners.require_mood_consent(session, runner_id)
        now = runtime.db.now(session)
        vault = runtime.sealer.open_vault(session.get_one(Runner, runner_id).vault_key)
        library = instruments.load_library(runtime.settings.data_dir)
        sealed = vault.seal(values, min_bytes=library.answer_bytes)
        previous_answer = session.scalars(
            select(Answer)
            .where(
                Answer.runner_id == runner_id,
                Answer.kind == AnswerKind.PRE_RUN,
                Answer.answered_at > now - CORRECTION_WINDOW,
            )
            .order_by(Answer.answered_at.desc())
        ).first()
        if previous_answer is not None:
            previous_answer.sealed = sealed
            previous_answer.changed_at = now
        else:
            session.add(
                Answer(
                    runner_id=runner_id,
                    kind=AnswerKind.PRE_RUN,
                    instrument=instruments.load_library()
                    .get_current(InstrumentKind.PRE_RUN)
                    .id,
                    reversed_order=runner_id % 2 == 1,
                    answered_at=now,
                    tags={},
                    sealed=sealed,
                )
            )
        runners.mark_answered(session, runner_id, now=now)
    log.info("before kept", runner_id=runner_id)
