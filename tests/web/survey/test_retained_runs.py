"""Under a strict limit the survey's and the run's page offer to keep a distance."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from sync.models import Run
from sync.runs import retention
from sync.runtime import Runtime
from sync.settings import Settings
from sync.surveys.answering import answer
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient

OFFER = "You ran about 8.2\N{NO-BREAK SPACE}km in 45\N{NO-BREAK SPACE}min."


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    """Let the host forget what is Strava’s after a week."""
    values = {**dict(runtime.settings), "strava_retention_days": 7}
    return replace(runtime, settings=Settings.model_construct(**values))


@pytest.fixture
def token(harness: Harness, runner_id: int) -> str:
    """Let the runner finish a run and say how it felt."""
    athlete = harness.world.athletes.get(7)
    assert athlete
    run = harness.finish_run(
        athlete, distance_m=8230.4, moving_s=2712, ended_minutes_ago=0
    )
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    token = read_pending_token(harness.runtime)
    answer.record_answer(harness.runtime, token=token, values={"mood": 1})
    return token


def get_newest_run(runtime: Runtime) -> Run:
    with runtime.db.read_only() as session:
        return session.scalars(select(Run).order_by(Run.started_at.desc())).first() or (
            pytest.fail("there is no run")
        )


def test_the_saved_page_offers_keeps_and_drops(browser: PageClient, token: str) -> None:
    offered = browser.open(f"/s/{token}").text
    done = browser.client.post(f"/s/{token}/own-log", data={"keep": "1"})
    kept = browser.open(done.location).text
    browser.client.post(f"/s/{token}/own-log", data={"keep": "0"})

    again = browser.open(f"/s/{token}").text

    assert f"{OFFER} Keep it in my own log?" in offered
    assert "deleted here after 7 days" in offered
    assert done.status_code == 303
    assert "Kept: about" in kept
    assert OFFER not in kept
    assert OFFER in again


def test_the_runs_page_outlives_stravas_record(
    browser: PageClient, token: str, runtime: Runtime, runner_id: int, harness: Harness
) -> None:
    page = f"/runs/{get_newest_run(runtime).id}"
    offered = browser.open(page).text
    browser.post(f"{page}/own-log", keep="1")
    harness.advance_clock(days=8)
    retention.purge_runs(runtime)
    browser.sign_in(runner_id)
    own = f"/runs/{get_newest_run(runtime).id}"
    after = browser.open(own).text
    dashboard = browser.open("/dashboard").text

    dropped = browser.post(f"{own}/own-log", keep="0")

    assert OFFER in offered
    assert "Rounded, as you kept it" in after
    assert "View on Strava" not in after
    assert own in dashboard
    assert "From your own log" in dashboard
    assert (dropped.status_code, dropped.location) == (303, "/dashboard")
    assert browser.open(own).status_code == 404


def test_a_survey_without_an_answer_offers_nothing(
    browser: PageClient, token: str, harness: Harness
) -> None:
    harness.advance_clock(days=2)
    gone = browser.client.post(f"/s/{token}/own-log", data={"keep": "1"})

    assert gone.status_code == 303
    assert "Keep it" not in browser.open(f"/s/{token}").text
    nowhere = browser.client.post("/s/unknown/own-log", data={"keep": "1"})
    assert nowhere.status_code == 404
