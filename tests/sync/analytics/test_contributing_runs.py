"""Behind each number stand just the runs that it counts, and the list can show."""

from typing import Any

from sync.analytics.figures import Figures, load_figures
from tests.sync.analytics.runner_data import RunnerData

RACE, LATE, UNANSWERED, LEFT, OTHERS = 5, 6, 7, 8, 9


def build_figures(runner_data: RunnerData, count: int = 12) -> Figures:
    """Write runs, one of each kind, and two check-ins, and look at them."""
    kinds: dict[int, dict[str, Any]] = {
        RACE: {"race": True},
        LATE: {"answered_h": 9},
        LEFT: {"hidden_at": runner_data.clock()},
        OTHERS: {"with_others": True},
    }
    for number in range(1, count + 1):
        mood = None if number == UNANSWERED else number % 3
        runner_data.add_run(number, 5.0 + number, mood, **kinds.get(number, {}))
    for day in (40, 41):
        runner_data.add_checkin(day, 1)
    return load_figures(runner_data.runtime, runner_data.runner_id)


def contributing_run_ids(figures: Figures, name: str, part: str) -> set[int]:
    panels = {panel.name: panel for panel in figures.panels}
    return {
        run_id
        for key, run_ids in panels[name].contributing_runs.items()
        if key == part
        for run_id in run_ids.tolist()
    }


def test_what_is_answered_in_time_stands_behind_a_comparison(
    runner_data: RunnerData,
) -> None:
    found = build_figures(runner_data)

    on_time = set(range(1, 13)) - {LATE, UNANSWERED, LEFT}
    assert contributing_run_ids(found, "company", "first") == {OTHERS}
    assert contributing_run_ids(found, "company", "second") == on_time - {OTHERS}
    assert contributing_run_ids(found, "race", "first") == {RACE}
    assert contributing_run_ids(found, "after_runs", "first") == on_time


def test_races_stand_behind_everything_but_mileage(runner_data: RunnerData) -> None:
    found = build_figures(runner_data)

    on_time = set(range(1, 13)) - {LATE, UNANSWERED, LEFT}
    assert contributing_run_ids(found, "mileage", "all") == on_time - {RACE}
    assert contributing_run_ids(found, "run_length", "all") == on_time
    assert contributing_run_ids(found, "hours_since", "all") == on_time | {LATE}


def test_no_run_stands_behind_check_ins_and_weeks(runner_data: RunnerData) -> None:
    found = build_figures(runner_data)

    assert contributing_run_ids(found, "after_runs", "second") == set()
    assert not any(
        contributing_run_ids(found, name, "all")
        for name in ("load", "month", "consistency")
    )


def test_a_sentence_keeps_the_runs_that_it_was_decided_by(
    runner_data: RunnerData,
) -> None:
    runner_data.add_correlated_runs(33)

    found = load_figures(runner_data.runtime, runner_data.runner_id)

    assert contributing_run_ids(found, "mileage", "said") == set(range(1, 31))
    assert contributing_run_ids(found, "mileage", "all") == set(range(1, 34))
