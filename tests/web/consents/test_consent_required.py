"""Whichever way something is said: without a standing consent none of it is kept."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from sync.errors import ConsentMissing, DeletionPending
from sync.models import Answer, Consent, Runner
from sync.preferences import Preferences
from sync.runners import deletion
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.settings import Settings
from sync.surveys.answering import answer, pre_run, retained_runs, wellbeing
from sync.vocabulary import ConsentKind
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.page_fixtures import build_fresh_run


def answer_survey(runtime: Runtime, _runner_id: int, _run_id: int) -> None:
    answer.record_answer(runtime, token=read_pending_token(runtime), values={"mood": 1})


def answer_on_run_page(runtime: Runtime, runner_id: int, run_id: int) -> None:
    answer.record_run_answer(
        runtime, runner_id=runner_id, run_id=run_id, values={"mood": 1}
    )


def record_pre_run(runtime: Runtime, runner_id: int, _run_id: int) -> None:
    pre_run.record_mood(runtime, token=pre_run.create_token(runtime, runner_id), mood=1)


def record_wellbeing(runtime: Runtime, runner_id: int, _run_id: int) -> None:
    values = {f"who5_{number}": 3 for number in range(1, 6)}
    wellbeing.record_answers(runtime, runner_id, values)


def retain_run(runtime: Runtime, runner_id: int, run_id: int) -> None:
    retained_runs.set_retained_for_run(runtime, runner_id, run_id, retain=True)


def withdraw_mood(runtime: Runtime, runner_id: int) -> None:
    """Leave the answers alone, which the page deletes with it."""
    with runtime.db.transaction() as session:
        runners.withdraw_consent(session, runner_id, ConsentKind.MOOD, at=runtime.now())


def outdate_consent(runtime: Runtime, _runner_id: int) -> None:
    with runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))


def request_deletion(runtime: Runtime, runner_id: int) -> None:
    deletion.request_deletion(runtime, runner_id)


def count_stored_answers(runtime: Runtime) -> list[tuple[int, bytes]]:
    with runtime.db.read_only() as session:
        rows = session.execute(select(Answer.id, Answer.sealed).order_by(Answer.id))
        return [(row.id, row.sealed) for row in rows]


@pytest.mark.parametrize("hinders", [withdraw_mood, outdate_consent, request_deletion])
@pytest.mark.parametrize(
    "says",
    [
        answer_survey,
        answer_on_run_page,
        record_pre_run,
        record_wellbeing,
        retain_run,
    ],
)
def test_nothing_is_kept_of_whoever_does_not_agree_to_it(
    harness: Harness,
    says: Callable[[Runtime, int, int], None],
    hinders: Callable[[Runtime, int], None],
) -> None:
    limited = {**dict(harness.runtime.settings), "strava_retention_days": 7}
    runtime = replace(harness.runtime, settings=Settings.model_construct(**limited))
    runner_id, run_id = build_fresh_run(harness)
    if says is retain_run:
        answer_on_run_page(runtime, runner_id, run_id)
    with runtime.db.transaction() as session:
        session.get_one(Runner, runner_id).preferences = Preferences(wellbeing=True)
    hinders(runtime, runner_id)
    held = count_stored_answers(runtime)

    with pytest.raises((ConsentMissing, DeletionPending)):
        says(runtime, runner_id, run_id)

    assert count_stored_answers(runtime) == held
