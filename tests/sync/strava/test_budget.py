"""The shared budget on a real Redis: many processes, and Redis coming and going."""

import sys
from collections.abc import Generator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from subprocess import PIPE, Popen

import pytest

from sync.errors import RateLimited
from sync.strava import Lane
from sync.strava.budget import REDIS_TIMEOUT_S, Budget
from tests.support.servers import TIMEOUT_S, ValkeyServer, run_valkey, wait_until
from tests.sync.strava.budget_consumer import NOON, consume_budget

LIMIT = 100
QUARTER = timedelta(minutes=15)


@pytest.fixture(scope="module")
def server() -> Generator[ValkeyServer]:
    with run_valkey() as running:
        yield running


@pytest.fixture
def redis(server: ValkeyServer) -> Generator[ValkeyServer]:
    """Lend the module's Redis, empty, and see that it runs afterwards."""
    server.flush()
    yield server
    server.stop()
    server.start()


class LimitedStrava:
    """Counts what reaches it and says so in its headers, as Strava does."""

    def __init__(self) -> None:
        self.used = 0

    def answer(self, budget: Budget) -> None:
        self.used += 1
        count = f"{self.used},{self.used}"
        budget.update_from_headers(
            {"X-RateLimit-Usage": count, "X-ReadRateLimit-Usage": count}
        )


def build_budget(redis: ValkeyServer, *, answer_s: float = TIMEOUT_S) -> Budget:
    """Give a process's budget; a Redis that a busy machine keeps waiting is there."""
    return Budget(redis.url, clock=lambda: NOON, timeout_s=answer_s)


def send_requests(budget: Budget, strava: LimitedStrava, times: int) -> None:
    with suppress(RateLimited):
        for _ in range(times):
            budget.reserve(Lane.WAITING)
            strava.answer(budget)


def read_used(budget: Budget) -> int:
    return budget.state().meters[1].used


@pytest.mark.processes
def test_two_processes_together_never_exceed_the_limit(redis: ValkeyServer) -> None:
    command = [sys.executable, "-m", "tests.sync.strava.budget_consumer", redis.url]

    spenders = [Popen(command, stdout=PIPE) for _ in range(2)]  # noqa: S603
    taken = [int(spender.communicate()[0]) for spender in spenders]

    assert sum(taken) == LIMIT


def test_every_lane_has_its_turn_in_order(redis: ValkeyServer) -> None:
    budget = build_budget(redis)

    taken = [consume_budget(budget, lane) for lane in reversed(Lane)]

    assert taken == [70, 15, 10, 5]


def test_a_lane_is_told_when_to_try_again(redis: ValkeyServer) -> None:
    budget = build_budget(redis)
    consume_budget(budget, Lane.BACKFILL)

    with pytest.raises(RateLimited) as soon:
        budget.reserve(Lane.BACKFILL)
    consume_budget(budget, Lane.WAITING)
    with pytest.raises(RateLimited) as at_the_boundary:
        budget.reserve(Lane.WAITING)

    assert NOON < soon.value.until < NOON + QUARTER
    assert at_the_boundary.value.until == NOON + QUARTER


def test_what_one_process_hears_from_strava_holds_for_all(redis: ValkeyServer) -> None:
    one, other = build_budget(redis), build_budget(redis)

    one.update_from_headers(
        {
            "X-RateLimit-Limit": "400,4000",
            "X-RateLimit-Usage": "40,340",
            "X-ReadRateLimit-Limit": "200,2000",
            "X-ReadRateLimit-Usage": "30,330",
        }
    )

    meters = [(meter.used, meter.limit) for meter in other.state().meters]
    assert meters == [(40, 400), (30, 200), (340, 4000), (330, 2000)]


def test_one_refusal_pauses_every_process(redis: ValkeyServer) -> None:
    one, other = build_budget(redis), build_budget(redis)

    until = one.update_from_headers({}, refused=True)

    assert until == NOON + QUARTER
    assert other.state().paused_until == until
    with pytest.raises(RateLimited):
        other.reserve(Lane.WAITING)


def test_a_request_that_never_left_comes_back(redis: ValkeyServer) -> None:
    budget = build_budget(redis)

    budget.refund(budget.reserve(Lane.WAITING))

    assert read_used(budget) == 0


def test_two_apps_on_one_redis_count_apart(redis: ValkeyServer) -> None:
    one = Budget(redis.url, app="1", clock=lambda: NOON)
    other = Budget(redis.url, app="2", clock=lambda: NOON)

    consume_budget(one, Lane.WAITING)

    assert read_used(other) == 0


def test_a_new_quarter_begins_by_the_clock(redis: ValkeyServer) -> None:
    now = NOON
    budget = Budget(redis.url, clock=lambda: now)
    consume_budget(budget, Lane.WAITING)

    now = NOON + QUARTER

    assert consume_budget(budget, Lane.WAITING) == LIMIT


def test_redis_leaves_the_last_moment_of_a_quarter_alone(redis: ValkeyServer) -> None:
    budget = Budget(redis.url, clock=lambda: NOON + QUARTER - timedelta(seconds=0.5))

    with pytest.raises(RateLimited) as refused:
        budget.reserve(Lane.WAITING)

    assert refused.value.until == NOON + QUARTER


def test_without_a_clock_of_its_own_redis_tells_the_time(redis: ValkeyServer) -> None:
    # Looking is allowed at any time; a real quarter's last moments refuse work.
    resets_at = Budget(redis.url).state().meters[2].resets_at

    assert resets_at.time().isoformat() == "00:00:00"
    assert timedelta() < resets_at - datetime.now(UTC) <= timedelta(days=1)


def test_a_redis_that_was_emptied_knows_again_with_the_next_request(
    redis: ValkeyServer,
) -> None:
    one, other, strava = build_budget(redis), build_budget(redis), LimitedStrava()
    send_requests(one, strava, 30)
    send_requests(other, strava, 30)

    redis.flush()
    send_requests(one, strava, LIMIT)
    send_requests(other, strava, LIMIT)

    assert strava.used == LIMIT


def test_without_redis_work_goes_on_carefully(redis: ValkeyServer) -> None:
    one, other, strava = build_budget(redis), build_budget(redis), LimitedStrava()
    send_requests(one, strava, 10)

    redis.stop()
    send_requests(one, strava, LIMIT)
    send_requests(other, strava, LIMIT)

    assert strava.used == 10 + LIMIT // 4 + LIMIT // 4
    assert not one.state().is_shared


def test_a_redis_that_returns_empty_is_told_what_happened(redis: ValkeyServer) -> None:
    one, other, strava = build_budget(redis), build_budget(redis), LimitedStrava()
    send_requests(one, strava, 40)
    redis.stop()
    send_requests(one, strava, 10)
    send_requests(other, strava, 10)

    redis.start()
    wait_until(lambda: one.state().is_shared and other.state().is_shared)

    assert read_used(one) == 60
    send_requests(one, strava, LIMIT)
    assert strava.used == LIMIT


def test_a_redis_that_hangs_holds_nobody_up(redis: ValkeyServer) -> None:
    budget = build_budget(redis, answer_s=REDIS_TIMEOUT_S)
    budget.reserve(Lane.WAITING)

    redis.freeze()
    budget.reserve(Lane.WAITING)

    assert not budget.state().is_shared
    assert read_used(budget) == 2


def test_a_pause_outlives_redis(redis: ValkeyServer) -> None:
    budget = build_budget(redis)
    budget.update_from_headers({}, refused=True)

    redis.stop()

    with pytest.raises(RateLimited):
        budget.reserve(Lane.WAITING)


def test_without_any_redis_a_process_takes_a_quarter_of_the_limit() -> None:
    budget = Budget("", clock=lambda: NOON)

    assert consume_budget(budget, Lane.BACKFILL) == LIMIT // 4
    assert consume_budget(budget, Lane.WAITING) == 0
