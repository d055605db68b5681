"""A recorder that was left on, started early, or stopped early: still one run."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from sync.models import ReconcileState, Run, Runner
from sync.runs import reconcile
from sync.runs.duplicate_rules import (
    MAX_DISTANCE_GAP,
    MIN_PART,
    Recording,
    are_same_run,
    find_duplicates,
)
from sync.runs.duplicates import choose_recording
from sync.simulator.records import Activity
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete, linked_harness, list_runs
from tests.sync.runs.test_duplicates import NOON, list_counted_runs

__all__ = ["linked_harness"]

BOTH_DATABASES = pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
    indirect=True,
)
WATCH, PHONE = "Garmin Forerunner 265", "Strava iPhone App"


def record(
    number: int,
    starts_min: float,
    lasts_min: float,
    *,
    moves_min: float | None = None,
    km: float = 5,
    device: str | None = WATCH,
) -> Recording:
    return Recording(
        id=number,
        started_at=NOON + timedelta(minutes=starts_min),
        elapsed_s=round(60 * lasts_min),
        moving_s=round(60 * (lasts_min if moves_min is None else moves_min)),
        distance_m=1000 * km,
        manual=False,
        device=device,
        has_elevation=True,
        is_chosen=False,
        source_id=number,
    )


WATCH_RUN = record(1, 0, 30)


@pytest.mark.parametrize(
    "phone",
    [
        record(2, 0, 50, moves_min=30, device=PHONE),  # left on
        record(2, 0, 600, moves_min=30, device=PHONE),  # until the evening
        record(2, -20, 50, moves_min=30, device=PHONE),  # started before
        record(2, -8, 60, moves_min=31, km=5.2, device=PHONE),  # both
        record(
            2, 0.5, 45, moves_min=28, km=4.8, device=PHONE
        ),  # no pauses on the watch
        record(2, 0, 45, km=7.5, device=PHONE),  # the watch's battery died
        record(2, -15, 45, km=7.5, device=PHONE),  # the watch was started late
    ],
)
def test_a_watch_and_a_phone_left_on_are_one_run(phone: Recording) -> None:
    assert are_same_run(WATCH_RUN, phone)
    assert are_same_run(phone, WATCH_RUN)


@pytest.mark.parametrize(
    "other",
    [
        record(2, 30, 30),  # back to back
        record(2, 29.5, 30),  # with clocks that differ
        record(2, 360, 30),  # a double
        record(2, -60, 120, moves_min=30, device=PHONE),  # in the middle of the other
        record(2, 0, 50, km=6.5, device=PHONE),  # another pace
        record(2, 0, 60, km=10, device=PHONE),  # it is half of a session
        record(2, 0, 45, km=7.5),  # another runner's watch
        record(2, 0, 30, km=6),
        record(2, 10, 10, km=1.7),  # an interval within
    ],
)
def test_what_may_be_two_runs_is_two(other: Recording) -> None:
    assert not are_same_run(WATCH_RUN, other)
    assert not are_same_run(other, WATCH_RUN)


def test_a_phone_left_on_joins_no_two_runs_of_a_watch() -> None:
    phone = record(1, 0, 90, moves_min=30, device=PHONE)
    first, second = record(2, 0, 30), record(3, 60, 30)

    assert find_duplicates([phone, first, second]) == {1: 2}


def test_the_whole_counts_for_the_part() -> None:
    watch, phone = record(1, 0, 30), record(2, 0, 45, km=7.5, device=PHONE)

    assert find_duplicates([watch, phone]) == {1: 2}


recordings = st.builds(
    record,
    st.integers(1, 9),
    st.integers(-90, 90),
    st.integers(0, 240),
    moves_min=st.integers(0, 120) | st.none(),
    km=st.integers(0, 30),
    device=st.sampled_from((WATCH, PHONE, None)),
)


@given(recordings, recordings)
def test_which_of_two_is_named_first_does_not_matter(
    first: Recording, second: Recording
) -> None:
    assert are_same_run(first, second) == are_same_run(second, first)


@given(recordings, recordings)
def test_one_run_is_never_far_longer_than_itself_nor_elsewhere(
    first: Recording, second: Recording
) -> None:
    if not are_same_run(first, second):
        return
    nearer_m, farther_m = sorted((first.distance_m, second.distance_m))
    is_whole = nearer_m >= (1 - MAX_DISTANCE_GAP) * farther_m
    assert is_whole or (
        nearer_m >= MIN_PART * farther_m and first.is_watch != second.is_watch
    )
    assert first.started_at is not None
    assert second.started_at is not None
    ends = [
        recording.started_at + timedelta(seconds=recording.elapsed_s)
        for recording in (first, second)
        if recording.started_at is not None
    ]
    assert max(first.started_at, second.started_at) < min(ends)


@given(st.lists(recordings, max_size=8))
def test_no_two_of_one_run_are_apart(drawn: list[Recording]) -> None:
    runs = [
        replace(run, id=number, source_id=number) for number, run in enumerate(drawn)
    ]
    runs.sort(key=lambda run: (run.started_at, run.source_id))
    duplicates = find_duplicates(runs)
    by_id = {run.id: run for run in runs}

    for duplicate_id, counted_id in duplicates.items():
        assert counted_id not in duplicates
        assert are_same_run(by_id[duplicate_id], by_id[counted_id])


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), max_size=8))
def test_runs_that_do_not_overlap_all_count(spans: list[tuple[int, int]]) -> None:
    runs, start_min = [], 0
    for number, (lasts_min, pause_min) in enumerate(spans, 1):
        runs.append(record(number, start_min, lasts_min, km=lasts_min / 6))
        start_min += lasts_min + pause_min

    assert find_duplicates(runs) == {}


def upload(harness: Harness, **fields: Any) -> Activity:
    run = harness.finish_run(get_athlete(harness), silent=True)
    run = replace(run, **fields)
    with harness.world.transaction():
        harness.world.put_activity(run)
    harness.deliver_event(get_athlete(harness), run.id, "create")
    harness.process_all_due()
    return run


@BOTH_DATABASES
def test_mileage_is_not_doubled_and_the_choice_can_be_taken_back(
    linked_harness: Harness,
) -> None:
    harness = linked_harness
    start_s = harness.world.now_s() - 7200
    fields: dict[str, Any] = {
        "start_s": start_s,
        "moving_s": 1800,
        "distance_m": 5000.0,
    }
    phone = upload(harness, **fields, elapsed_s=3000, device_name=PHONE)
    watch = upload(harness, **fields, elapsed_s=1800)
    runner_id = list_runs(harness)[0].runner_id
    ids = {run.source_id: run.id for run in list_runs(harness)}

    assert list_counted_runs(harness) == [watch.id]
    assert choose_recording(harness.runtime, runner_id, ids[phone.id])
    assert list_counted_runs(harness) == [phone.id]
    assert choose_recording(harness.runtime, runner_id, ids[watch.id])
    assert list_counted_runs(harness) == [watch.id]


def test_what_an_earlier_version_counted_twice_is_put_right(
    linked_harness: Harness,
) -> None:
    harness = linked_harness
    start_s = harness.world.now_s() - 7200
    upload(harness, start_s=start_s, elapsed_s=3000, device_name=PHONE)
    watch = upload(harness, start_s=start_s)
    with harness.runtime.db.transaction() as session:
        session.execute(update(Run).values(counted=True, duplicate_of=None))
        version = session.scalars(select(Runner.data_version)).one()
        session.execute(update(ReconcileState).values(due_at=harness.clock()))

    reconcile.process_due(harness.runtime)

    assert list_counted_runs(harness) == [watch.id]
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Runner.data_version)).one() > version


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_arrival_does_not_matter(
    linked_harness: Harness, order: tuple[int, ...]
) -> None:
    harness = linked_harness
    start_s = harness.world.now_s() - 4 * 3600
    plans: list[dict[str, Any]] = [
        {"elapsed_s": 7200, "device_name": PHONE},  # left on during the second run
        {"elapsed_s": 1800},
        {"elapsed_s": 1800, "start_s": start_s + 3600},
    ]
    fields: dict[str, Any] = {
        "start_s": start_s,
        "moving_s": 1800,
        "distance_m": 5000.0,
    }
    uploads = [
        replace(harness.finish_run(get_athlete(harness), silent=True), **fields | plan)
        for plan in plans
    ]
    with harness.world.transaction():
        for run in uploads:
            harness.world.put_activity(run)
    for index in order:
        harness.deliver_event(get_athlete(harness), uploads[index].id, "create")
        harness.process_all_due()

    assert list_counted_runs(harness) == [uploads[1].id, uploads[2].id]
