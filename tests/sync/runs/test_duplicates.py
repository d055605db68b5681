"""Two recordings of one run: one counts, and the runner may say which."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from sync.models import Answer
from sync.runs.duplicate_rules import Recording, are_same_run, find_duplicates
from sync.runs.duplicates import choose_recording
from sync.simulator import activities
from sync.simulator.records import Activity
from sync.surveys.answering import answer
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete, list_runs

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def build_recording(
    number: int = 1,
    *,
    starts_min: float | None = 0,
    lasts_min: float = 30,
    distance_m: float = 5000,
    device: str | None = "Garmin Forerunner 265",
    manual: bool = False,
    is_choice: bool = False,
) -> Recording:
    start = None if starts_min is None else NOON + timedelta(minutes=starts_min)
    return Recording(
        id=number,
        started_at=start,
        elapsed_s=int(lasts_min * 60),
        moving_s=int(lasts_min * 60),
        source_id=number,
        distance_m=distance_m,
        manual=manual,
        device=device,
        has_elevation=True,
        is_chosen=is_choice,
    )


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (build_recording(2), True),
        (build_recording(2, starts_min=2, lasts_min=29, distance_m=4900), True),
        (build_recording(2, starts_min=7), False),  # 77 % of the time together
        (build_recording(2, lasts_min=24), False),  # 80 %, and more is needed
        (build_recording(2, distance_m=4500), True),
        (build_recording(2, distance_m=4400), False),
        (build_recording(2, starts_min=None), False),  # a hidden start proves nothing
        (build_recording(2, lasts_min=0), False),
        (build_recording(2, starts_min=30), False),
    ],
)
def test_one_run_is_the_same_time_over_the_same_distance(
    other: Recording, expected: bool
) -> None:
    assert are_same_run(build_recording(1), other) is expected
    assert are_same_run(other, build_recording(1)) is expected


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        (build_recording(1), build_recording(2), 1),
        (build_recording(1, device="Strava App"), build_recording(2), 2),
        (build_recording(1, device=None), build_recording(2), 2),
        (build_recording(1, manual=True), build_recording(2, device=None), 2),
        (
            build_recording(1),
            build_recording(2, device="Strava App", is_choice=True),
            2,
        ),
    ],
)
def test_the_better_recording_counts(
    first: Recording, second: Recording, counts: int
) -> None:
    assert find_duplicates([first, second]) == {3 - counts: counts}


def test_runs_one_after_the_other_all_count() -> None:
    day = [build_recording(number, starts_min=number * 40) for number in range(30)]

    assert find_duplicates(day) == {}


@pytest.fixture
def linked_harness(harness: Harness) -> Harness:
    harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    harness.advance_clock(hours=3)
    return harness


def upload_run(harness: Harness, **fields: float | bool) -> Activity:
    run = harness.finish_run(get_athlete(harness), **fields)
    harness.deliver_event(get_athlete(harness), run.id, "create")
    harness.process_all_due()
    return run


def list_counted_runs(harness: Harness) -> list[int]:
    return [run.source_id for run in list_runs(harness) if run.counted]


def get_run_id(harness: Harness, activity: Activity) -> int:
    return next(run.id for run in list_runs(harness) if run.source_id == activity.id)


def test_a_second_recording_is_kept_and_does_not_count(linked_harness: Harness) -> None:
    watch = upload_run(linked_harness, distance_m=8000)
    upload_run(linked_harness, distance_m=8100, manual=True)

    assert len(list_runs(linked_harness)) == 2
    assert list_counted_runs(linked_harness) == [watch.id]


def test_the_answer_follows_the_recording_that_counts(linked_harness: Harness) -> None:
    by_hand = upload_run(linked_harness, distance_m=8000, manual=True)
    runner_id = list_runs(linked_harness)[0].runner_id
    answer.record_run_answer(
        linked_harness.runtime,
        runner_id=runner_id,
        run_id=get_run_id(linked_harness, by_hand),
        values={"mood": 2},
    )

    watch = upload_run(linked_harness, distance_m=8100)

    assert list_counted_runs(linked_harness) == [watch.id]
    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Answer.run_id)).all() == [
            get_run_id(linked_harness, watch)
        ]


def test_the_runner_s_choice_holds_and_can_be_taken_back(
    linked_harness: Harness,
) -> None:
    watch = upload_run(linked_harness, distance_m=8000)
    by_hand = upload_run(linked_harness, distance_m=8100, manual=True)
    runner_id = list_runs(linked_harness)[0].runner_id

    assert choose_recording(
        linked_harness.runtime, runner_id, get_run_id(linked_harness, by_hand)
    )
    chosen = list_counted_runs(linked_harness)
    linked_harness.advance_clock(minutes=1)
    linked_harness.deliver_event(
        get_athlete(linked_harness), watch.id, "update", type="Run"
    )
    linked_harness.process_all_due()
    after_an_edit = list_counted_runs(linked_harness)
    choose_recording(
        linked_harness.runtime, runner_id, get_run_id(linked_harness, watch)
    )

    assert (chosen, after_an_edit) == ([by_hand.id], [by_hand.id])
    assert list_counted_runs(linked_harness) == [watch.id]


def test_a_run_without_a_twin_has_no_choice(linked_harness: Harness) -> None:
    watch = upload_run(linked_harness, distance_m=8000)
    runner_id = list_runs(linked_harness)[0].runner_id

    assert not choose_recording(
        linked_harness.runtime, runner_id, get_run_id(linked_harness, watch)
    )
    assert not choose_recording(
        linked_harness.runtime, runner_id + 1, get_run_id(linked_harness, watch)
    )
    assert list_counted_runs(linked_harness) == [watch.id]


def test_the_twin_counts_when_the_other_goes(linked_harness: Harness) -> None:
    watch = upload_run(linked_harness, distance_m=8000)
    by_hand = upload_run(linked_harness, distance_m=8100, manual=True)
    with linked_harness.world.transaction():
        activities.delete_activity(linked_harness.world, watch)

    linked_harness.advance_clock(minutes=1)
    linked_harness.deliver_event(get_athlete(linked_harness), watch.id, "delete")
    linked_harness.process_all_due()

    assert list_counted_runs(linked_harness) == [by_hand.id]


def test_a_cropped_recording_is_a_run_of_its_own(linked_harness: Harness) -> None:
    upload_run(linked_harness, distance_m=8000)
    copy = upload_run(linked_harness, distance_m=8100, manual=True)
    with linked_harness.world.transaction():
        activities.edit_activity(
            linked_harness.world,
            copy,
            activities.ActivityEdit(distance_m=3000, moving_s=900),
        )

    linked_harness.advance_clock(minutes=1)
    linked_harness.deliver_event(
        get_athlete(linked_harness), copy.id, "update", type="Run"
    )
    linked_harness.process_all_due()

    assert len(list_counted_runs(linked_harness)) == 2
