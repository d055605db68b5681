"""A runner with something in every table, on the database that a test asks for."""

import pytest

from tests.conftest import empty_tables
from tests.support.harness import Stage
from tests.support.runner_activity import live
from tests.sync.runners.test_disconnect import DAY_MIN


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a test asks for another: packing names its own databases."""
    return empty_tables(request, getattr(request, "param", "sqlite"))


@pytest.fixture
def runner_id(stage: Stage) -> int:
    """Link a runner with a short past, an answer of each kind, and a sign-in."""
    athlete = stage.athlete()
    for days_ago in range(3, 13):
        stage.run(athlete, distance_m=8230.4, ended_minutes_ago=days_ago * DAY_MIN)
    runner_id = stage.link(athlete)
    stage.work()
    live(stage, athlete, runner_id)
    return runner_id
