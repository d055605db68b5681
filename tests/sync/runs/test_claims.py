"""Turns: the longest-waiting runner first, one worker for each, shifts that end."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import queue
from sync.models import Backfill
from sync.queue import Work
from sync.runs import claims, duplicate_rules
from sync.runs.duplicate_rules import Recording
from tests.support.clock import NOON
from tests.support.harness import Stage

SPANS = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 120)), max_size=8)


def taken(stage: Stage, now: datetime) -> int | None:
    with stage.runtime.db.transaction() as session:
        row = claims.take(session, Backfill, now=now)
        return row.runner_id if row else None


def test_who_waits_longest_is_taken_first_and_by_one_worker_only(stage: Stage) -> None:
    first = stage.link(stage.athlete(1))
    stage.pass_time(minutes=1)
    second = stage.link(stage.athlete(2))

    found = [taken(stage, stage.clock()) for _ in range(3)]

    assert found == [first, second, None]


def test_who_was_held_by_a_dead_worker_is_free_again(stage: Stage) -> None:
    runner_id = stage.link(stage.athlete())
    taken(stage, stage.clock())

    later = stage.clock() + claims.LEASE

    assert taken(stage, later - timedelta(seconds=1)) is None
    assert taken(stage, later) == runner_id


def test_a_shift_that_ends_calls_the_next_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "SHIFT_S", 0)

    done = list(queue.shift(stage.queue, Work.SWEEP, lambda: 1))

    assert done == [1]
    assert stage.queue.woken_up == [Work.SWEEP]


@given(SPANS)
def test_recordings_that_never_meet_are_no_twins(spans: list[tuple[int, int]]) -> None:
    moments = [(NOON + timedelta(minutes=start), s * 60) for start, s in sorted(spans)]
    recordings = [
        Recording(
            id=number,
            started_at=started_at,
            elapsed_s=elapsed_s,
            distance_m=5000,
            manual=False,
            device=None,
            has_elevation=False,
            is_choice=False,
        )
        for number, (started_at, elapsed_s) in enumerate(moments)
    ]

    assert not (
        duplicate_rules.never_meet(moments) and duplicate_rules.twins(recordings)
    )
