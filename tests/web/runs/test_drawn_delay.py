"""No page asks about a run by itself before the time that was drawn for it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sync.models import DelayDraw, Run, Survey
from sync.runners import preferences
from tests.support.harness import Harness
from tests.web.conftest import PageClient

QUESTION = "How do you feel right now?"
STILL_TO_COME = "Its question is still to come, at a time drawn at random."


@pytest.fixture
def run_path(runner_id: int, browser: PageClient, harness: Harness) -> str:
    """Finish a run at nine in Berlin, about which chance asks in six hours."""
    preferences.save_preferences(harness.runtime, runner_id, {"random_delay": True})
    harness.clock.at = harness.clock.at.replace(hour=7) + timedelta(days=1)
    athlete = harness.world.athletes.get(7)
    assert athlete
    run = harness.finish_run(athlete, ended_minutes_ago=2, distance_m=5000.0)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    with harness.runtime.db.transaction() as session:
        draw = session.scalars(select(DelayDraw)).one()
        new_run = session.get_one(Run, draw.run_id)
        draw.delay_h, draw.asks_at = 6, new_run.ended_at + timedelta(hours=6)
        session.execute(
            update(Survey)
            .where(Survey.run_id == new_run.id)
            .values(send_at=draw.asks_at)
        )
    return f"/runs/{draw.run_id}"


def test_the_dashboard_asks_from_the_drawn_time_on(
    browser: PageClient, harness: Harness, run_path: str
) -> None:
    before = browser.open("/dashboard").text
    harness.advance_clock(hours=5, minutes=50)
    shortly_before = browser.open("/dashboard").text
    harness.advance_clock(minutes=10)
    after = browser.open("/dashboard").text

    assert QUESTION not in before
    assert QUESTION not in shortly_before
    assert QUESTION in after
    assert f'name="run_id" value="{run_path.rpartition("/")[2]}"' in after


def test_the_runs_page_says_so_and_takes_an_answer_all_the_same(
    browser: PageClient, harness: Harness, run_path: str
) -> None:
    before = browser.open(run_path).text
    harness.advance_clock(hours=6)
    after = browser.open(run_path).text

    assert STILL_TO_COME in before
    assert f'action="{run_path}"' in before
    assert "Asked after the run, at a time that was drawn at random." in before
    assert STILL_TO_COME not in after
    assert f'action="{run_path}"' in after


def test_the_switch_says_what_it_does(browser: PageClient, run_path: str) -> None:
    page = browser.open("/settings").text

    assert run_path
    assert 'name="random_delay"' in page
    assert "Help find out how long it lasts" in page
    assert "as drawn at random, by day, no more often, and without a" in page
