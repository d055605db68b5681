"""The longer look every four weeks: a page for those who switched it on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.errors import MoodmilesError
from sync.models import Answer, Runner
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import instruments
from sync.surveys.instruments import Instrument, InvalidAnswer
from sync.vocabulary import AnswerKind, InstrumentKind

log = structlog.get_logger()

# The questions look back two weeks; closer together they would overlap.
INTERVAL = timedelta(weeks=4)
_POINTS_PER_STEP = 4
_LOW_SCORE = 50


class WellbeingNotDue(MoodmilesError):
    """The page is off, or was answered less than four weeks ago."""


@dataclass(frozen=True, slots=True)
class WellbeingPage:
    """The page's state; `points` are (when, 0 to 100), oldest first.

    `offers_support` opens the list of people to talk to; no word is put on it.
    """

    instrument: Instrument | None
    is_enabled: bool
    due_at: datetime
    is_due: bool
    points: tuple[tuple[datetime, int], ...]
    offers_support: bool


def load_page(runtime: Runtime, runner_id: int) -> WellbeingPage:
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        runner = session.get_one(Runner, runner_id)
        points = _load_points(runtime, session, runner)
        is_enabled = runner.preferences.wellbeing
    due_at = points[-1][0] + INTERVAL if points else now
    library = instruments.load_library(runtime.settings.data_dir)
    # A host may have removed the folder of its questions.
    pages = library.get_by_kind(InstrumentKind.PAGE)
    instrument = next((page for page in pages if page.id.startswith("who5-")), None)
    return WellbeingPage(
        instrument=instrument,
        is_enabled=is_enabled and instrument is not None,
        due_at=due_at,
        is_due=due_at <= now,
        points=points,
        offers_support=bool(points) and points[-1][1] <= _LOW_SCORE,
    )


@retry_conflicts
def record_answers(runtime: Runtime, runner_id: int, values: Mapping[str, int]) -> None:
    """Keep all five answers; raises `InvalidAnswer` or `WellbeingNotDue`."""
    page = load_page(runtime, runner_id)
    if page.instrument is None or not page.is_enabled or not page.is_due:
        raise WellbeingNotDue("This page is not open now.")
    questions = {question.key: question for question in page.instrument.questions}
    checked_values = instruments.check_values(values, questions)
    if set(checked_values) != set(questions):
        raise InvalidAnswer("Please answer all five.")
    library = instruments.load_library(runtime.settings.data_dir)
    with runtime.db.transaction(runner_id=runner_id) as session:
        runners.require_mood_consent(session, runner_id)
        now = runtime.db.now(session)
        runner = session.get_one(Runner, runner_id)
        # Asked again behind the lock: another page may have been answered meanwhile.
        if not runner.preferences.wellbeing or _was_answered_since(
            session, runner_id, now - INTERVAL
        ):
            raise WellbeingNotDue("This page is not open now.")
        vault = runtime.sealer.open_vault(runner.vault_key)
        session.add(
            Answer(
                runner_id=runner_id,
                kind=AnswerKind.WELLBEING,
                instrument=page.instrument.id,
                reversed_order=False,
                answered_at=now,
                tags={},
                sealed=vault.seal(checked_values, min_bytes=library.answer_bytes),
            )
        )
    log.info("wellbeing kept", runner_id=runner_id)


def _was_answered_since(session: Session, runner_id: int, since: datetime) -> bool:
    """Whether a page was answered after `since`; one of that very time is over."""
    newest = session.scalar(
        select(func.max(Answer.answered_at)).where(
            Answer.runner_id == runner_id, Answer.kind == AnswerKind.WELLBEING
        )
    )
    return newest is not None and newest > since


def _load_points(
    runtime: Runtime, session: Session, runner: Runner
) -> tuple[tuple[datetime, int], ...]:
    vault = runtime.sealer.open_vault(runner.vault_key)
    rows = session.execute(
        select(Answer.answered_at, Answer.sealed)
        .where(Answer.runner_id == runner.id, Answer.kind == AnswerKind.WELLBEING)
        .order_by(Answer.answered_at)
    )
    return tuple(
        (answered_at, _POINTS_PER_STEP * sum(vault.open(sealed).values()))
        for answered_at, sealed in rows
    )
