"""Under a strict limit Strava's facts go; what the runner kept stays theirs."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from sync.analytics.dataset.overview import dashboard
from sync.models import Answer, Run, Runner
from sync.portability.pack import pack
from sync.runs import retention
from sync.runtime import Runtime
from sync.settings import Settings
from sync.simulator.records import Activity, Athlete
from sync.surveys.answering import answer, retained_runs
from tests.conftest import empty_tables
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in

LIMIT_DAYS = 7
ON_BOTH = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql"], indirect=True
)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a test asks for both."""
    return empty_tables(request, getattr(request, "param", "sqlite"))


@pytest.fixture
def strict(stage: Stage) -> Stage:
    values = {**dict(stage.runtime.settings), "strava_retention_days": LIMIT_DAYS}
    settings = Settings.model_construct(**values)
    return replace(stage, runtime=replace(stage.runtime, settings=settings))


@pytest.fixture
def athlete(strict: Stage) -> Athlete:
    return strict.athlete()


@pytest.fixture
def runner_id(strict: Stage, athlete: Athlete) -> int:
    runner_id = strict.link(athlete)
    strict.work()
    strict.pass_time(minutes=1)
    return runner_id


def answered_run(
    stage: Stage, athlete: Athlete, *, keep: bool = True
) -> tuple[Activity, str]:
    """Finish a run, answer its mail, and keep it in the own log, or not."""
    run = stage.run(athlete, distance_m=8230.4, moving_s=2712, ended_minutes_ago=0)
    stage.tell(athlete, run.id, "create")
    stage.work()
    stage.pass_time(minutes=30)
    token = token_in(stage.runtime)
    answer.record(stage.runtime, token=token, values={"mood": 1, "company": 1})
    if keep:
        retained_runs.keep_for_survey(stage.runtime, token, keep=True)
    return run, token


def the_run(stage: Stage) -> Run:
    with stage.runtime.db.reading() as session:
        return session.scalars(select(Run)).one()


def all_runs(stage: Stage) -> list[Run]:
    with stage.runtime.db.reading() as session:
        return list(session.scalars(select(Run)))


def days_later(stage: Stage, days: float) -> None:
    stage.pass_time(days=days)
    retention.tidy(stage.runtime)


def dots(runtime: Runtime, runner_id: int) -> list[tuple[float, int | None]]:
    """Return each answered run's distance, and after how many minutes it was told."""
    runs = dashboard(runtime, runner_id).runs
    told = [run for run in runs if run.mood is not None]
    return [(run.about_m, run.answered_minutes_after) for run in told]


def test_the_survey_offers_to_keep_what_was_run_about(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    _, token = answered_run(strict, athlete, keep=False)
    offered = retained_runs.of_survey(strict.runtime, token)
    retained_runs.keep_for_survey(strict.runtime, token, keep=True)

    kept = retained_runs.of_survey(strict.runtime, token)

    assert offered
    assert kept
    assert (offered.is_kept, kept.is_kept) == (False, True)
    assert (offered.facts.distance_m, offered.facts.moving_s) == (8200, 2700)
    assert kept.facts == offered.facts
    assert retained_runs.of_run(strict.runtime, runner_id, the_run(strict).id) == kept


def test_miles_are_rounded_as_miles(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    with strict.runtime.db.transaction() as session:
        session.get_one(Runner, runner_id).preferences = {"units": "mi"}
    _, token = answered_run(strict, athlete)

    kept = retained_runs.of_survey(strict.runtime, token)

    assert kept
    assert kept.facts.distance_m / 1609.344 == pytest.approx(5.1, abs=0.001)


@pytest.mark.usefixtures("runner_id")
def test_without_a_limit_nothing_is_offered_or_kept(
    stage: Stage, strict: Stage, athlete: Athlete
) -> None:
    _, token = answered_run(stage, athlete)

    assert retained_runs.of_survey(stage.runtime, token) is None
    days_later(strict, LIMIT_DAYS + 1)
    assert all_runs(stage) == []


def test_before_the_limit_nothing_changes(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    answered_run(strict, athlete)

    days_later(strict, LIMIT_DAYS - 1)

    assert (the_run(strict).source, the_run(strict).distance_m) == ("strava", 8230.4)
    assert len(dashboard(strict.runtime, runner_id).runs) == 1


@ON_BOTH
def test_what_was_kept_stands_in_and_counts_as_the_run_did(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    answered_run(strict, athlete)
    before = dots(strict.runtime, runner_id)

    days_later(strict, LIMIT_DAYS + 1)

    own, after = the_run(strict), dots(strict.runtime, runner_id)
    assert (own.source, own.distance_m, own.moving_s) == ("hand", 8200, 2700)
    assert (own.local_day, own.with_others, own.device) == (
        (strict.clock() - timedelta(days=LIMIT_DAYS + 1)).date(),
        True,
        None,
    )
    [(m_before, minutes_before)], [(m_after, minutes_after)] = before, after
    assert (m_before, m_after) == (8230.4, 8200)
    assert minutes_before == minutes_after
    assert dashboard(strict.runtime, runner_id).answered == 1


def test_what_was_not_kept_goes_and_its_answer_stays(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    answered_run(strict, athlete, keep=False)

    days_later(strict, LIMIT_DAYS + 1)

    assert all_runs(strict) == []
    with strict.runtime.db.reading() as session:
        assert session.scalars(select(Answer.run_id)).all() == [None]


@pytest.mark.parametrize("late", [False, True])
def test_what_was_kept_can_be_dropped_again(
    strict: Stage, athlete: Athlete, runner_id: int, *, late: bool
) -> None:
    answered_run(strict, athlete)
    if late:
        days_later(strict, LIMIT_DAYS + 1)

    run_id = the_run(strict).id
    retained_runs.keep_for_run(strict.runtime, runner_id, run_id, keep=False)

    days_later(strict, LIMIT_DAYS + 1)
    assert all_runs(strict) == []
    assert "own_" not in exported(strict, runner_id)["answers.json"]
    with strict.runtime.db.reading() as session:
        assert len(session.scalars(select(Answer)).all()) == 1


def test_an_export_holds_what_was_kept_before_and_after(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    answered_run(strict, athlete)
    before = exported(strict, runner_id)

    days_later(strict, LIMIT_DAYS + 1)

    after = exported(strict, runner_id)
    assert '"own_distance_m": 8200' in before["answers.json"]
    assert '"own_distance_m": 8200' in after["answers.json"]
    assert [row["source"] for row in json.loads(after["runs.json"])] == ["hand"]
    assert "8230" not in "".join(after.values())


def exported(stage: Stage, runner_id: int) -> dict[str, str]:
    with ZipFile(io.BytesIO(pack(stage.runtime, runner_id))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}
