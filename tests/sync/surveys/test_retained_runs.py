"""Under a strict limit Strava's facts go; what the runner kept stays theirs."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from sync.analytics.dataset.overview import load_dashboard
from sync.models import Answer, Run, Runner
from sync.portability.pack import pack_export
from sync.preferences import Preferences
from sync.runs import retention
from sync.runtime import Runtime
from sync.settings import Settings
from sync.simulator.records import Activity, Athlete
from sync.surveys.answering import answer, retained_runs
from tests.conftest import prepare_empty_database
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token

LIMIT_DAYS = 7
ON_BOTH = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql"], indirect=True
)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a test asks for both."""
    return prepare_empty_database(request, getattr(request, "param", "sqlite"))


@pytest.fixture
def limited_harness(harness: Harness) -> Harness:
    values = {**dict(harness.runtime.settings), "strava_retention_days": LIMIT_DAYS}
    settings = Settings.model_construct(**values)
    return replace(harness, runtime=replace(harness.runtime, settings=settings))


@pytest.fixture
def athlete(limited_harness: Harness) -> Athlete:
    return limited_harness.add_athlete()


@pytest.fixture
def runner_id(limited_harness: Harness, athlete: Athlete) -> int:
    runner_id = limited_harness.link_runner(athlete)
    limited_harness.process_all_due()
    limited_harness.advance_clock(minutes=1)
    return runner_id


def add_answered_run(
    harness: Harness, athlete: Athlete, *, keep: bool = True
) -> tuple[Activity, str]:
    """Finish a run, answer its mail, and keep it in the own log, or not."""
    run = harness.finish_run(
        athlete, distance_m=8230.4, moving_s=2712, ended_minutes_ago=0
    )
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    harness.advance_clock(minutes=30)
    token = read_pending_token(harness.runtime)
    answer.record_answer(harness.runtime, token=token, values={"mood": 1, "company": 1})
    if keep:
        retained_runs.set_retained_for_survey(harness.runtime, token, retain=True)
    return run, token


def get_run(harness: Harness) -> Run:
    with harness.runtime.db.read_only() as session:
        return session.scalars(select(Run)).one()


def list_runs(harness: Harness) -> list[Run]:
    with harness.runtime.db.read_only() as session:
        return list(session.scalars(select(Run)))


def advance_days(harness: Harness, days: float) -> None:
    harness.advance_clock(days=days)
    retention.purge_runs(harness.runtime)


def list_dots(runtime: Runtime, runner_id: int) -> list[tuple[float, int | None]]:
    """Return each answered run's distance, and after how many minutes it was told."""
    runs = load_dashboard(runtime, runner_id).runs
    answered_runs = [run for run in runs if run.mood is not None]
    return [(run.about_m, run.answered_minutes_after) for run in answered_runs]


def test_the_survey_offers_to_keep_what_was_run_about(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    _, token = add_answered_run(limited_harness, athlete, keep=False)
    offered = retained_runs.load_offer_for_survey(limited_harness.runtime, token)
    retained_runs.set_retained_for_survey(limited_harness.runtime, token, retain=True)

    kept = retained_runs.load_offer_for_survey(limited_harness.runtime, token)

    assert offered
    assert kept
    assert (offered.is_retained, kept.is_retained) == (False, True)
    assert (offered.facts.distance_m, offered.facts.moving_s) == (8200, 2700)
    assert kept.facts == offered.facts
    assert (
        retained_runs.load_offer_for_run(
            limited_harness.runtime, runner_id, get_run(limited_harness).id
        )
        == kept
    )


def test_miles_are_rounded_as_miles(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    with limited_harness.runtime.db.transaction() as session:
        session.get_one(Runner, runner_id).preferences = Preferences(units="mi")
    _, token = add_answered_run(limited_harness, athlete)

    kept = retained_runs.load_offer_for_survey(limited_harness.runtime, token)

    assert kept
    assert kept.facts.distance_m / 1609.344 == pytest.approx(5.1, abs=0.001)


@pytest.mark.usefixtures("runner_id")
def test_without_a_limit_nothing_is_offered_or_kept(
    harness: Harness, limited_harness: Harness, athlete: Athlete
) -> None:
    _, token = add_answered_run(harness, athlete)

    assert retained_runs.load_offer_for_survey(harness.runtime, token) is None
    advance_days(limited_harness, LIMIT_DAYS + 1)
    assert list_runs(harness) == []


def test_before_the_limit_nothing_changes(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    add_answered_run(limited_harness, athlete)

    advance_days(limited_harness, LIMIT_DAYS - 1)

    assert (get_run(limited_harness).source, get_run(limited_harness).distance_m) == (
        "strava",
        8230.4,
    )
    assert len(load_dashboard(limited_harness.runtime, runner_id).runs) == 1


@ON_BOTH
def test_what_was_kept_stands_in_and_counts_as_the_run_did(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    add_answered_run(limited_harness, athlete)
    before = list_dots(limited_harness.runtime, runner_id)

    advance_days(limited_harness, LIMIT_DAYS + 1)

    own, after = get_run(limited_harness), list_dots(limited_harness.runtime, runner_id)
    assert (own.source, own.distance_m, own.moving_s) == ("hand", 8200, 2700)
    assert (own.local_day, own.with_others, own.device) == (
        (limited_harness.clock() - timedelta(days=LIMIT_DAYS + 1)).date(),
        True,
        None,
    )
    [(m_before, minutes_before)], [(m_after, minutes_after)] = before, after
    assert (m_before, m_after) == (8230.4, 8200)
    assert minutes_before == minutes_after
    assert load_dashboard(limited_harness.runtime, runner_id).answered_count == 1


def test_what_was_not_kept_goes_and_its_answer_stays(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    add_answered_run(limited_harness, athlete, keep=False)

    advance_days(limited_harness, LIMIT_DAYS + 1)

    assert list_runs(limited_harness) == []
    with limited_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Answer.run_id)).all() == [None]


@pytest.mark.parametrize("late", [False, True])
def test_what_was_kept_can_be_dropped_again(
    limited_harness: Harness, athlete: Athlete, runner_id: int, *, late: bool
) -> None:
    add_answered_run(limited_harness, athlete)
    if late:
        advance_days(limited_harness, LIMIT_DAYS + 1)

    run_id = get_run(limited_harness).id
    retained_runs.set_retained_for_run(
        limited_harness.runtime, runner_id, run_id, retain=False
    )

    advance_days(limited_harness, LIMIT_DAYS + 1)
    assert list_runs(limited_harness) == []
    assert "own_" not in read_export(limited_harness, runner_id)["answers.json"]
    with limited_harness.runtime.db.read_only() as session:
        assert len(session.scalars(select(Answer)).all()) == 1


def test_an_export_holds_what_was_kept_before_and_after(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    add_answered_run(limited_harness, athlete)
    before = read_export(limited_harness, runner_id)

    advance_days(limited_harness, LIMIT_DAYS + 1)

    after = read_export(limited_harness, runner_id)
    assert '"own_distance_m": 8200' in before["answers.json"]
    assert '"own_distance_m": 8200' in after["answers.json"]
    assert [row["source"] for row in json.loads(after["runs.json"])] == ["hand"]
    assert "8230" not in "".join(after.values())


def read_export(harness: Harness, runner_id: int) -> dict[str, str]:
    with ZipFile(io.BytesIO(pack_export(harness.runtime, runner_id))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}
