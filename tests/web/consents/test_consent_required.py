"""Whichever way something is said: without a standing consent none of it is kept."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from sync.errors import ConsentMissing, GoingSoon
from sync.models import Answer, Consent, Runner
from sync.runners import deletion
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.settings import Settings
from sync.surveys.answering import answer, pre_run, retained_runs, wellbeing
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in
from tests.support.page_fixtures import fresh_run


def by_the_survey(runtime: Runtime, _runner_id: int, _run_id: int) -> None:
    answer.record(runtime, token=token_in(runtime), values={"mood": 1})


def on_the_run(runtime: Runtime, runner_id: int, run_id: int) -> None:
    answer.record_for_run(
        runtime, runner_id=runner_id, run_id=run_id, values={"mood": 1}
    )


def by_the_bookmark(runtime: Runtime, runner_id: int, _run_id: int) -> None:
    pre_run.record(runtime, token=pre_run.token_for(runtime, runner_id), mood=1)


def on_the_longer_page(runtime: Runtime, runner_id: int, _run_id: int) -> None:
    said = {f"who5_{number}": 3 for number in range(1, 6)}
    wellbeing.record(runtime, runner_id, said)


def into_the_own_log(runtime: Runtime, runner_id: int, run_id: int) -> None:
    retained_runs.keep_for_run(runtime, runner_id, run_id, keep=True)


def takes_the_mood_back(runtime: Runtime, runner_id: int) -> None:
    """Leave the answers alone, which the page deletes with it."""
    with runtime.db.transaction() as session:
        runners.withdraw(session, runner_id, "mood", at=runtime.now())


def has_a_new_text_to_read(runtime: Runtime, _runner_id: int) -> None:
    with runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))


def is_about_to_be_deleted(runtime: Runtime, runner_id: int) -> None:
    deletion.ask(runtime, runner_id)


def kept(runtime: Runtime) -> list[tuple[int, bytes]]:
    with runtime.db.reading() as session:
        rows = session.execute(select(Answer.id, Answer.sealed).order_by(Answer.id))
        return [(row.id, row.sealed) for row in rows]


@pytest.mark.parametrize(
    "hinders", [takes_the_mood_back, has_a_new_text_to_read, is_about_to_be_deleted]
)
@pytest.mark.parametrize(
    "says",
    [
        by_the_survey,
        on_the_run,
        by_the_bookmark,
        on_the_longer_page,
        into_the_own_log,
    ],
)
def test_nothing_is_kept_of_whoever_does_not_agree_to_it(
    stage: Stage,
    says: Callable[[Runtime, int, int], None],
    hinders: Callable[[Runtime, int], None],
) -> None:
    limited = {**dict(stage.runtime.settings), "strava_retention_days": 7}
    runtime = replace(stage.runtime, settings=Settings.model_construct(**limited))
    runner_id, run_id = fresh_run(stage)
    if says is into_the_own_log:
        on_the_run(runtime, runner_id, run_id)
    with runtime.db.transaction() as session:
        session.get_one(Runner, runner_id).preferences = {"wellbeing": True}
    hinders(runtime, runner_id)
    held = kept(runtime)

    with pytest.raises((ConsentMissing, GoingSoon)):
        says(runtime, runner_id, run_id)

    assert kept(runtime) == held
