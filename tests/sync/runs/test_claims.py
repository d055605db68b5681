"""Turns: the longest-waiting runner first, one worker for each, shifts that end."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sync.backoff import LEASE
from sync.models import Backfill
from sync.runs import claims, duplicate_rules
from sync.runs.duplicate_rules import Recording
from tests.support.clock import NOON
from tests.support.harness import Harness

SPANS = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 120)), max_size=8)


def claim_one(harness: Harness, now: datetime) -> int | None:
    with harness.runtime.db.transaction() as session:
        row = claims.claim_next(session, Backfill, now=now)
        return row.runner_id if row else None


def test_who_waits_longest_is_taken_first_and_by_one_worker_only(
    harness: Harness,
) -> None:
    first = harness.link_runner(harness.add_athlete(1))
    harness.advance_clock(minutes=1)
    second = harness.link_runner(harness.add_athlete(2))

    found = [claim_one(harness, harness.clock()) for _ in range(3)]

    assert found == [first, second, None]


def test_who_was_held_by_a_dead_worker_is_free_again(harness: Harness) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    claim_one(harness, harness.clock())

    later = harness.clock() + LEASE

    assert claim_one(harness, later - timedelta(seconds=1)) is None
    assert claim_one(harness, later) == runner_id


@given(SPANS)
def test_recordings_that_never_meet_are_no_twins(spans: list[tuple[int, int]]) -> None:
    moments = [(NOON + timedelta(minutes=start), s * 60) for start, s in sorted(spans)]
    recordings = [
        Recording(
            id=number,
            started_at=started_at,
            elapsed_s=elapsed_s,
            moving_s=elapsed_s,
            source_id=number,
            distance_m=5000,
            manual=False,
            device=None,
            has_elevation=False,
            is_chosen=False,
        )
        for number, (started_at, elapsed_s) in enumerate(moments)
    ]

    assert not (
        duplicate_rules.never_overlap(moments)
        and duplicate_rules.find_duplicates(recordings)
    )
