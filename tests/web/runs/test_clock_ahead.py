"""A run whose clock was ahead is listed with the reason, and asked about nowhere."""

import csv
import io

import pytest

from tests.support.harness import Harness
from tests.web.conftest import PageClient

YEARS_MIN = 4 * 365 * 24 * 60


@pytest.fixture
def run_path(runner_id: int, browser: PageClient, harness: Harness) -> str:
    """Let a run arrive that begins in four years; return its page."""
    athlete = harness.world.athletes.get(7)
    assert athlete
    run = harness.finish_run(athlete, ended_minutes_ago=-YEARS_MIN, distance_m=5000.0)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    data = browser.open("/dashboard/data.json").json
    assert data
    [left_out] = data["left_out"]
    return f"/runs/{left_out['run_id']}"


def test_its_page_says_why_and_takes_no_answer(
    browser: PageClient, run_path: str
) -> None:
    page = browser.open(run_path).text

    assert "Its clock was ahead when it came: it started after we heard of it." in page
    assert "by its clock, the run began after we heard of it" in page
    assert "No answer: nobody knows when this run was." in page
    assert f'action="{run_path}"' not in page


def test_the_reason_is_said_in_german(browser: PageClient, run_path: str) -> None:
    page = browser.client.get(run_path, headers={"Accept-Language": "de"}).text

    assert "Seine Uhr ging vor, als er kam" in page
    assert "Niemand weiß, wann dieser Lauf war." in page


def test_the_dashboard_lists_it_and_asks_nothing(
    browser: PageClient, run_path: str
) -> None:
    page = browser.open("/dashboard").text

    assert "How do you feel right now?" not in page
    assert "Left out of every figure" in page
    assert f'href="{run_path}"' in page


@pytest.mark.usefixtures("run_path")
def test_the_tables_keep_and_mark_it(browser: PageClient, harness: Harness) -> None:
    data = browser.open("/dashboard/data.json").json
    rows = list(csv.DictReader(io.StringIO(browser.open("/dashboard/runs.csv").text)))
    weeks = list(csv.DictReader(io.StringIO(browser.open("/dashboard/weeks.csv").text)))

    assert data
    today = harness.clock().date().isoformat()
    assert all(run["local_date"] <= today for run in data["runs"])
    assert [run["survey"] for run in data["left_out"]] == ["clock ahead"]
    assert [row["survey"] for row in rows if row["local_date"] > today] == [
        "clock ahead"
    ]
    assert all(week["week_of"] <= today for week in weeks)
