"""What was run for one answer is one distance, hours apart as it may be."""

import numpy as np
import pytest

from sync.analytics.dataset.history import AnswerArrays, History, RunArrays
from sync.analytics.dataset.overview import load_dashboard
from tests.sync.analytics.runner_data import RunnerData

HOUR_S = 3600.0


def build_history(
    starts_h: list[float], earlier: list[tuple[int, int]], *, answered_index: int = -1
) -> History:
    """Make runs of 10, 11, 12 … km and an hour each; one answer, to the last."""
    count = len(starts_h)
    started_s = HOUR_S * np.array(starts_h)
    nothing = np.full(1, np.nan)
    runs = RunArrays(
        id=np.arange(count),
        started_s=started_s,
        ended_s=started_s + HOUR_S,
        local_day=np.ones(count, dtype=np.int64),
        start_hour=np.array(starts_h),
        distance_m=np.array([10_000.0 + 1000 * number for number in range(count)]),
        moving_s=np.full(count, HOUR_S),
        is_race=np.zeros(count, dtype=bool),
        place=np.zeros(count, dtype=np.int64),
        is_with_others=np.zeros(count, dtype=bool),
    )
    answers = AnswerArrays(
        run=np.array([count + answered_index]),
        is_checkin=np.zeros(1, dtype=bool),
        answered_s=started_s[-1:] + 2 * HOUR_S,
        local_day=np.ones(1, dtype=np.int64),
        local_hour=np.full(1, 20.0),
        mood=np.ones(1),
        stress=nothing,
        before=nothing,
        company=nothing,
        place=nothing,
        earlier_runs=earlier,
    )
    return History(runs, answers, asked_count=1, today=2)


@pytest.mark.parametrize(
    ("starts_h", "earlier", "km"),
    [
        ([7, 18], [], 11),
        ([7, 18], [(0, 0)], 21),
        ([7, 9], [], 21),
        ([7, 9], [(0, 0)], 21),
        ([7, 9, 18], [(0, 1)], 33),
        ([7, 9, 18], [(0, 0), (0, 1)], 33),
        ([7, 16, 18], [(0, 0), (0, 1)], 33),
        ([6, 11, 18], [(0, 0), (0, 1)], 33),
    ],
    ids=[
        "asked about the second alone",
        "asked about both, hours apart",
        "one session",
        "one session, counted once",
        "an earlier session of two",
        "each of them named",
        "the later session of two",
        "three sessions",
    ],
)
def test_an_answer_is_about_every_run_that_it_was_asked_about(
    starts_h: list[float], earlier: list[tuple[int, int]], km: float
) -> None:
    found = build_history(starts_h, earlier)

    assert found.about_m.tolist() == [1000 * km]


def test_minutes_are_added_up_as_metres_are() -> None:
    assert build_history([7, 18], [(0, 0)]).about_s.tolist() == [2 * HOUR_S]


def test_an_answer_whose_run_is_gone_is_about_no_distance() -> None:
    gone = build_history([7, 18], [(0, 0)], answered_index=-3)

    assert np.isnan(gone.about_m).all()


def test_a_double_counts_as_one_distance_in_every_figure(
    runner_data: RunnerData,
) -> None:
    runner_data.add_run(1, 8, None)
    runner_data.add_run(
        2, 5, 1, hours_later=-14, tags={"sessions": 2, "earlier_runs": [1]}
    )

    drawn = load_dashboard(runner_data.runtime, runner_data.runner_id).runs[-1]

    assert (drawn.about_m, drawn.week_m) == (13_000, 13_000)
    assert [
        answer["about_m"] for answer in runner_data.read_study_table("answers.csv")
    ] == ["13000"]


def test_a_number_left_by_a_run_that_went_adds_nothing(runner_data: RunnerData) -> None:
    runner_data.add_run(1, 8, None)
    runner_data.add_run(5, 5, 1, tags={"sessions": 2, "earlier_runs": [1, 77]})

    assert (
        load_dashboard(runner_data.runtime, runner_data.runner_id).runs[-1].about_m
        == 5000
    )
    assert [
        answer["about_m"] for answer in runner_data.read_study_table("answers.csv")
    ] == ["5000"]
