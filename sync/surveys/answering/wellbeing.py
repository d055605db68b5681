"""The longer look every four weeks: a page for those who switched it on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.errors import MoodmilesError
from sync.models import Answer, Runner
from sync.preferences import Preferences
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import instruments
from sync.surveys.instruments import BadAnswer, Instrument

log = structlog.get_logger()

KIND = "wellbeing"
# The questions look back two weeks; closer together they would overlap.
EVERY = timedelta(weeks=4)
_WORTH = 4
_LOW = 50


class NotNow(MoodmilesError):
    """The page is off, or was answered less than four weeks ago."""


@dataclass(frozen=True, slots=True)
class Wellbeing:
    """The page's state; `points` are (when, 0 to 100), oldest first.

    `offers_support` opens the list of people to talk to; no word is put on it.
    """

    instrument: Instrument | None
    is_on: bool
    due_at: datetime
    is_due: bool
    points: tuple[tuple[datetime, int], ...]
    offers_support: bool


def look(runtime: Runtime, runner_id: int) -> Wellbeing:
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        runner = session.get_one(Runner, runner_id)
        points = _points(runtime, session, runner)
        is_on = Preferences.of(runner.preferences).wellbeing
    due_at = points[-1][0] + EVERY if points else now
    found = _instrument(runtime)
    return Wellbeing(
        instrument=found,
        is_on=is_on and found is not None,
        due_at=due_at,
        is_due=due_at <= now,
        points=points,
        offers_support=bool(points) and points[-1][1] <= _LOW,
    )


def record(runtime: Runtime, runner_id: int, values: Mapping[str, int]) -> None:
    """Keep all five answers; raises `BadAnswer` or `NotNow`."""
    page = look(runtime, runner_id)
    if page.instrument is None or not page.is_on or not page.is_due:
        raise NotNow("This page is not open now.")
    questions = {question.key: question for question in page.instrument.questions}
    said = instruments.checked(values, questions)
    if set(said) != set(questions):
        raise BadAnswer("Please answer all five.")
    with runtime.db.transaction() as session:
        runners.require_mood_consent(session, runner_id)
        now = runtime.db.now(session)
        vault = runtime.sealer.vault(session.get_one(Runner, runner_id).vault_key)
        session.add(
            Answer(
                runner_id=runner_id,
                kind=KIND,
                instrument=page.instrument.id,
                reversed_order=False,
                answered_at=now,
                tags={},
                sealed=vault.seal(said),
            )
        )
    log.info("wellbeing kept", runner_id=runner_id)


def _points(
    runtime: Runtime, session: Session, runner: Runner
) -> tuple[tuple[datetime, int], ...]:
    vault = runtime.sealer.vault(runner.vault_key)
    rows = session.execute(
        select(Answer.answered_at, Answer.sealed)
        .where(Answer.runner_id == runner.id, Answer.kind == KIND)
        .order_by(Answer.answered_at)
    )
    return tuple((at, _WORTH * sum(vault.open(sealed).values())) for at, sealed in rows)


def _instrument(runtime: Runtime) -> Instrument | None:
    """Return the page's questions; a host may have removed their folder."""
    pages = instruments.library(runtime.settings.data_dir).of_kind("page")
    return next((page for page in pages if page.id.startswith("who5-")), None)
