"""Two at once: no error, and no rule broken, on both databases.

`RACES_TIMES=50 pytest tests/faults/test_races.py -s` repeats each race so often and
says what came of it; the ordinary suite is content with a few.
"""

import os
from collections.abc import Iterator

import pytest

from tests.faults.race_stage import RaceStage, RaceTally, run_at_once
from tests.faults.races import RACES
from tests.support.harness import Harness

TIMES = int(os.environ.get("RACES_TIMES", "2"))


@pytest.fixture
def stage(harness: Harness) -> Iterator[RaceStage]:
    with RaceStage.open(harness) as stage:
        yield stage


@pytest.mark.parametrize("name", RACES)
def test_no_race_is_an_error_or_breaks_a_rule(name: str, stage: RaceStage) -> None:
    totals = RaceTally()

    for _ in range(TIMES):
        contest = RACES[name](stage)
        outcomes = run_at_once(contest.acts)
        with stage.runtime.db.read_only() as session:
            totals.add(outcomes, contest.find_breaks(session, outcomes))

    database = stage.runtime.db.engine.dialect.name
    print(  # noqa: T201 - the long form is run for these lines
        f"\nRACE {name} {database}: {TIMES} times, {totals.acts} acts, "
        f"{totals.failures.total()} errors, {totals.breaks.total()} rules broken"
    )
    assert totals.failures == {}
    assert totals.breaks == {}
