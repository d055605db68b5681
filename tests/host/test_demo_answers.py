"""The demo's runner feels by a known relation, and the rule finds it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from sync.analytics import load_figures
from sync.models import Answer, Run
from tests.support.clock import ManualClock
from tests.support.demo_runner import add_demo_runner
from tests.support.harness import Harness

pytestmark = pytest.mark.slow


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 18, tzinfo=UTC))


@pytest.fixture
def demo_runner_id(harness: Harness) -> int:
    """Return a runner with 18 months of runs and answers."""
    return add_demo_runner(harness)


def test_the_headline_is_what_the_rule_finds_in_the_answers(
    harness: Harness, demo_runner_id: int
) -> None:
    figures = load_figures(harness.runtime, demo_runner_id)

    assert figures.mileage.verdict == "best"
    assert "30–40 km" in (figures.mileage.sentence or "")
    assert not figures.support


def test_about_seven_in_ten_runs_are_answered(
    harness: Harness, demo_runner_id: int
) -> None:
    with harness.runtime.db.read_only() as session:
        runs = session.scalar(select(func.count()).select_from(Run)) or 0
        answered = session.scalar(
            select(func.count()).where(Answer.run_id.is_not(None))
        )

    assert answered == pytest.approx(0.7 * runs, rel=0.15)
