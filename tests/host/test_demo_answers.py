"""The demo's runner feels by a known relation, and the rule finds it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from sync.analytics import figures_for
from sync.models import Answer, Run
from tests.support.clock import HandClock
from tests.support.demo_runner import robin_in
from tests.support.harness import Stage

pytestmark = pytest.mark.slow


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 11, 22, 18, tzinfo=UTC))


@pytest.fixture
def robin(stage: Stage) -> int:
    """Return a runner with 18 months of runs and answers."""
    return robin_in(stage)


def test_the_headline_is_what_the_rule_finds_in_the_answers(
    stage: Stage, robin: int
) -> None:
    figures = figures_for(stage.runtime, robin)

    assert figures.mileage.verdict == "best"
    assert "30–40 km" in (figures.mileage.sentence or "")
    assert not figures.support


def test_about_seven_in_ten_runs_are_answered(stage: Stage, robin: int) -> None:
    with stage.runtime.db.reading() as session:
        runs = session.scalar(select(func.count()).select_from(Run)) or 0
        answered = session.scalar(
            select(func.count()).where(Answer.run_id.is_not(None))
        )

    assert answered == pytest.approx(0.7 * runs, rel=0.15)
