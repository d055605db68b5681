"""A runner with something in every table, on the database that a test asks for."""

import pytest

from tests.conftest import prepare_empty_database
from tests.support.harness import Harness
from tests.support.runner_activity import add_activity
from tests.sync.runners.test_disconnect import DAY_MIN


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a test asks for another: packing names its own databases."""
    return prepare_empty_database(request, getattr(request, "param", "sqlite"))


@pytest.fixture
def runner_id(harness: Harness) -> int:
    """Link a runner with a short past, an answer of each kind, and a sign-in."""
    athlete = harness.add_athlete()
    for days_ago in range(3, 13):
        harness.finish_run(
            athlete, distance_m=8230.4, ended_minutes_ago=days_ago * DAY_MIN
        )
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    add_activity(harness, athlete, runner_id)
    return runner_id
