"""A run that nobody can have run is listed with the reason; others say their time."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.harness import Harness
from tests.web.conftest import PageClient


@pytest.fixture
def upload(runner_id: int, harness: Harness) -> Callable[..., None]:
    """Return what lets a run with these fields arrive."""

    def upload(**fields: Any) -> None:
        athlete = harness.world.athletes.get(7)
        assert athlete
        run = replace(harness.finish_run(athlete, silent=True), **fields)
        with harness.world.transaction():
            harness.world.put_activity(run)
        harness.deliver_event(athlete, run.id, "create")
        harness.process_all_due()

    return upload


def test_a_drive_is_left_out_and_says_why(
    browser: PageClient, upload: Callable[..., None]
) -> None:
    upload(distance_m=500_000.0, moving_s=3600, elapsed_s=3600)

    data = browser.open("/dashboard/data.json").json
    assert data
    [left_out] = data["left_out"]
    path = f"/runs/{left_out['run_id']}"
    page = browser.open(path).text
    german = browser.client.get(path, headers={"Accept-Language": "de"}).text
    dashboard = browser.open("/dashboard").text

    assert (len(data["runs"]), left_out["survey"]) == (1, "implausible")
    assert "Its distance and its time do not fit: nobody runs like this." in page
    assert "No survey: nobody runs this distance in this time." in page
    assert f'action="{path}"' not in page
    assert "So läuft niemand." in german
    assert "Distance and time do not fit" in dashboard
    assert "How do you feel right now?" not in dashboard


def test_a_run_timed_by_its_elapsed_time_says_so(
    browser: PageClient, upload: Callable[..., None]
) -> None:
    upload(distance_m=5000.0, moving_s=0, elapsed_s=1800)

    data = browser.open("/dashboard/data.json").json
    rows = list(csv.DictReader(io.StringIO(browser.open("/dashboard/runs.csv").text)))
    assert data
    run = data["runs"][-1]
    page = browser.open(f"/runs/{run['run_id']}").text

    assert (run["moving_s"], run["time_counted"]) == (1800, "elapsed")
    assert [row["time_counted"] for row in rows] == ["moving", "elapsed"]
    assert "30\N{NO-BREAK SPACE}min, from start to end" in page
