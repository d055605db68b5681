"""Two recordings of one run: one counts, and the runner may say which."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from sync.models import Answer
from sync.runs.duplicate_rules import Recording, are_one_run, twins
from sync.runs.duplicates import choose_recording
from sync.simulator import activities
from sync.simulator.records import Activity
from sync.surveys.answering import answer
from tests.support.harness import Stage
from tests.sync.inbox.test_handle import athlete_of, runs_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def recording(
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
        distance_m=distance_m,
        manual=manual,
        device=device,
        has_elevation=True,
        is_choice=is_choice,
    )


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (recording(2), True),
        (recording(2, starts_min=2, lasts_min=29, distance_m=4900), True),
        (recording(2, starts_min=7), False),  # 77 % of the time together
        (recording(2, lasts_min=24), False),  # 80 %, and more is needed
        (recording(2, distance_m=4500), True),
        (recording(2, distance_m=4400), False),
        (recording(2, starts_min=None), False),  # a hidden start proves nothing
        (recording(2, lasts_min=0), False),
        (recording(2, starts_min=30), False),
    ],
)
def test_one_run_is_the_same_time_over_the_same_distance(
    other: Recording, expected: bool
) -> None:
    assert are_one_run(recording(1), other) is expected
    assert are_one_run(other, recording(1)) is expected


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        (recording(1), recording(2), 1),
        (recording(1, device="Strava App"), recording(2), 2),
        (recording(1, device=None), recording(2), 2),
        (recording(1, manual=True), recording(2, device=None), 2),
        (recording(1), recording(2, device="Strava App", is_choice=True), 2),
    ],
)
def test_the_better_recording_counts(
    first: Recording, second: Recording, counts: int
) -> None:
    assert twins([first, second]) == {3 - counts: counts}


def test_runs_one_after_the_other_all_count() -> None:
    day = [recording(number, starts_min=number * 40) for number in range(30)]

    assert twins(day) == {}


@pytest.fixture
def linked(stage: Stage) -> Stage:
    stage.link(stage.athlete())
    stage.work()
    stage.pass_time(hours=3)
    return stage


def upload(stage: Stage, **wishes: float | bool) -> Activity:
    run = stage.run(athlete_of(stage), **wishes)
    stage.tell(athlete_of(stage), run.id, "create")
    stage.work()
    return run


def counted(stage: Stage) -> list[int]:
    return [run.source_id for run in runs_of(stage) if run.counted]


def our_id(stage: Stage, activity: Activity) -> int:
    return next(run.id for run in runs_of(stage) if run.source_id == activity.id)


def test_a_second_recording_is_kept_and_does_not_count(linked: Stage) -> None:
    watch = upload(linked, distance_m=8000)
    upload(linked, distance_m=8100, manual=True)

    assert len(runs_of(linked)) == 2
    assert counted(linked) == [watch.id]


def test_the_answer_follows_the_recording_that_counts(linked: Stage) -> None:
    by_hand = upload(linked, distance_m=8000, manual=True)
    runner_id = runs_of(linked)[0].runner_id
    answer.record_for_run(
        linked.runtime,
        runner_id=runner_id,
        run_id=our_id(linked, by_hand),
        values={"mood": 2},
    )

    watch = upload(linked, distance_m=8100)

    assert counted(linked) == [watch.id]
    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Answer.run_id)).all() == [our_id(linked, watch)]


def test_the_runner_s_choice_holds_and_can_be_taken_back(linked: Stage) -> None:
    watch = upload(linked, distance_m=8000)
    by_hand = upload(linked, distance_m=8100, manual=True)
    runner_id = runs_of(linked)[0].runner_id

    assert choose_recording(linked.runtime, runner_id, our_id(linked, by_hand))
    chosen = counted(linked)
    linked.pass_time(minutes=1)
    linked.tell(athlete_of(linked), watch.id, "update", type="Run")
    linked.work()
    after_an_edit = counted(linked)
    choose_recording(linked.runtime, runner_id, our_id(linked, watch))

    assert (chosen, after_an_edit) == ([by_hand.id], [by_hand.id])
    assert counted(linked) == [watch.id]


def test_a_run_without_a_twin_has_no_choice(linked: Stage) -> None:
    watch = upload(linked, distance_m=8000)
    runner_id = runs_of(linked)[0].runner_id

    assert not choose_recording(linked.runtime, runner_id, our_id(linked, watch))
    assert not choose_recording(linked.runtime, runner_id + 1, our_id(linked, watch))
    assert counted(linked) == [watch.id]


def test_the_twin_counts_when_the_other_goes(linked: Stage) -> None:
    watch = upload(linked, distance_m=8000)
    by_hand = upload(linked, distance_m=8100, manual=True)
    with linked.world.change():
        activities.delete(linked.world, watch)

    linked.pass_time(minutes=1)
    linked.tell(athlete_of(linked), watch.id, "delete")
    linked.work()

    assert counted(linked) == [by_hand.id]


def test_a_cropped_recording_is_a_run_of_its_own(linked: Stage) -> None:
    upload(linked, distance_m=8000)
    copy = upload(linked, distance_m=8100, manual=True)
    with linked.world.change():
        activities.edit(
            linked.world, copy, activities.Edit(distance_m=3000, moving_s=900)
        )

    linked.pass_time(minutes=1)
    linked.tell(athlete_of(linked), copy.id, "update", type="Run")
    linked.work()

    assert len(counted(linked)) == 2
