"""Without any event a run is found where this runner's habit says to look."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.runs import reconcile
from sync.runs.reconcile_rules import (
    OFF_HOURS_FACTOR,
    FinishHabit,
    learn_habit,
    next_reconcile_at,
)
from sync.runtime import Runtime
from sync.settings import Settings
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete
from tests.sync.runs.test_reconcile import (
    get_reconcile_row,
    has_equal_tables,
    linked_harness,
)

__all__ = ["linked_harness"]


def with_polling(runtime: Runtime, minutes: int) -> Runtime:
    values = {**dict(runtime.settings), "poll_minutes": minutes}
    return replace(runtime, settings=Settings.model_construct(**values))


def test_polling_alone_finds_a_run_without_any_event(linked_harness: Harness) -> None:
    runtime = with_polling(linked_harness.runtime, 15)
    reconcile.process_due(runtime)
    linked_harness.finish_run(
        get_athlete(linked_harness), ended_minutes_ago=5, silent=True
    )

    linked_harness.advance_clock(minutes=15)
    reconcile.process_due(runtime)

    assert has_equal_tables(linked_harness)
    assert get_reconcile_row(
        linked_harness
    ).due_at - linked_harness.clock() <= timedelta(minutes=15)


NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "offset_s", "wait_min"),
    [
        ({12, 13}, 0, 15),  # the usual hour: poll
        ({14, 15}, 7200, 15),  # the same, where the runner is
        ({13, 14}, 0, 60),  # wait for the usual hour
        ({18, 19}, 0, 15 * OFF_HOURS_FACTOR),  # far from it: look seldom
        (set(range(24)), 0, 15),  # no habit known yet
    ],
)
def test_polling_follows_the_habit(
    hours: set[int], offset_s: int, wait_min: int
) -> None:
    found = next_reconcile_at(
        NOON,
        poll_interval=timedelta(minutes=15),
        habit=FinishHabit(frozenset(hours), offset_s),
    )

    assert found - NOON == timedelta(minutes=wait_min)


def test_a_habit_is_learned_from_where_the_runs_ended() -> None:
    ends = [(NOON - timedelta(days=days), 3600) for days in range(9)]
    oddity = (NOON.replace(hour=3), 3600)

    learned = learn_habit([*ends, *ends, oddity])

    assert learned == FinishHabit(frozenset({13, 14}), 3600)


def test_few_runs_make_no_habit() -> None:
    assert len(learn_habit([(NOON, 0)] * 4).hours) == 24
