"""A runner's share of the budget in the lane of events, with Redis and without."""

from collections.abc import Generator
from datetime import datetime, timedelta

import pytest

from sync.errors import RateLimited
from sync.strava import Lane
from sync.strava.budget import Budget, sharing
from tests.support.clock import ManualClock
from tests.support.servers import TIMEOUT_S, ValkeyServer, run_valkey

QUARTER = timedelta(minutes=15)
ONE_MS = timedelta(milliseconds=1)
# Of 100 reads in a quarter and 1,000 in a day.
OWN_QUARTER, OWN_DAY = 1, 5
POOL_QUARTER, POOL_DAY = 30, 250


@pytest.fixture(scope="module")
def server() -> Generator[ValkeyServer]:
    with run_valkey() as running:
        yield running


@pytest.fixture
def redis(server: ValkeyServer) -> ValkeyServer:
    server.flush()
    return server


@pytest.fixture
def midnight() -> ManualClock:
    """Give a clock that stands at the beginning of a UTC day."""
    clock = ManualClock()
    clock.advance(hours=24 - clock().hour)
    return clock


def build_budget(redis: ValkeyServer, clock: ManualClock) -> Budget:
    return Budget(redis.url, clock=clock, timeout_s=TIMEOUT_S)


def consume(budget: Budget, runner_id: int, lane: Lane = Lane.NEW_RUN) -> int:
    """Take for a runner until they have to wait; return how often that was."""
    count = 0
    while find_wait(budget, runner_id, lane) is None:
        count += 1
    return count


def find_wait(
    budget: Budget, runner_id: int, lane: Lane = Lane.NEW_RUN
) -> datetime | None:
    """Take one request; return until when to wait if there is none."""
    try:
        with sharing(runner_id):
            budget.reserve(lane)
    except RateLimited as limited:
        return limited.until
    return None


def test_one_runner_leaves_the_others_theirs(
    redis: ValkeyServer, midnight: ManualClock
) -> None:
    budget = build_budget(redis, midnight)

    greedy = consume(budget, 1)
    others = [consume(budget, runner_id) for runner_id in range(2, 12)]

    assert greedy == OWN_QUARTER + POOL_QUARTER
    assert others == [OWN_QUARTER] * 10
    assert find_wait(budget, 1) == midnight() + QUARTER


def test_fifty_runners_do_not_use_up_a_quarter(
    redis: ValkeyServer, midnight: ManualClock
) -> None:
    budget = build_budget(redis, midnight)

    taken = [consume(budget, runner_id) for runner_id in range(1, 51)]

    assert sum(taken) == 50 * OWN_QUARTER + POOL_QUARTER
    assert find_wait(budget, 51) is None


def test_fifty_runners_do_not_use_up_a_day(
    redis: ValkeyServer, midnight: ManualClock
) -> None:
    budget = build_budget(redis, midnight)
    taken = 0

    for _ in range(95):
        taken += sum(consume(budget, runner_id) for runner_id in range(1, 51))
        midnight.advance(seconds=QUARTER.total_seconds())

    assert taken <= 50 * OWN_DAY + POOL_QUARTER + POOL_DAY
    assert find_wait(budget, 51) is None


def test_over_a_day_the_pool_fills_evenly_and_the_wait_is_exact(
    redis: ValkeyServer, midnight: ManualClock
) -> None:
    budget = build_budget(redis, midnight)
    for _ in range(8):
        consume(budget, 1)
        midnight.advance(seconds=QUARTER.total_seconds())

    consume(budget, 1)
    until = find_wait(budget, 1)
    assert until is not None
    wait = until - midnight()
    midnight.advance(seconds=(wait - ONE_MS).total_seconds())
    too_early = find_wait(budget, 1)
    midnight.advance(seconds=ONE_MS.total_seconds())

    assert timedelta(0) < wait <= timedelta(days=1) / POOL_DAY
    assert too_early == until
    assert find_wait(budget, 1) is None


def test_a_new_window_gives_new_shares(
    redis: ValkeyServer, midnight: ManualClock
) -> None:
    budget = build_budget(redis, midnight)
    consume(budget, 1)

    midnight.advance(seconds=QUARTER.total_seconds())

    assert find_wait(budget, 1) is None


def test_only_the_lane_of_events_has_shares(
    redis: ValkeyServer, midnight: ManualClock
) -> None:
    budget = build_budget(redis, midnight)

    assert consume(budget, 1, Lane.BACKFILL) == 70
    assert consume(budget, 1, Lane.RECONCILE) == 15


def test_a_request_that_never_left_is_given_back_to_its_runner(
    redis: ValkeyServer, midnight: ManualClock
) -> None:
    budget = build_budget(redis, midnight)

    for _ in range(3 * POOL_QUARTER):
        with sharing(1):
            budget.refund(budget.reserve(Lane.NEW_RUN))

    assert consume(budget, 1) == OWN_QUARTER + POOL_QUARTER


def test_a_request_for_nobody_takes_no_share(
    redis: ValkeyServer, midnight: ManualClock
) -> None:
    budget = build_budget(redis, midnight)

    for _ in range(2 * POOL_QUARTER):
        budget.reserve(Lane.NEW_RUN)

    assert consume(budget, 1) == OWN_QUARTER + POOL_QUARTER


def test_a_redis_that_was_emptied_begins_new_shares(
    redis: ValkeyServer, midnight: ManualClock
) -> None:
    budget = build_budget(redis, midnight)
    consume(budget, 1)

    redis.flush()

    assert find_wait(budget, 1) is None


def test_without_redis_one_runner_leaves_the_others_theirs(
    midnight: ManualClock,
) -> None:
    budget = Budget("", clock=midnight)

    greedy = consume(budget, 1)
    others = [consume(budget, runner_id) for runner_id in range(2, 12)]

    assert greedy == 1 + 12  # half of the 25 that a process may take
    assert others == [1] * 10


def test_without_redis_one_runner_does_not_use_up_a_day(midnight: ManualClock) -> None:
    budget = Budget("", clock=midnight)
    taken = 0

    for _ in range(95):
        taken += consume(budget, 1)
        midnight.advance(seconds=QUARTER.total_seconds())

    assert taken <= 3 + 12 + 125
    assert find_wait(budget, 2) is None
