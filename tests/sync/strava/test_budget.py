"""The shared budget on a real Redis: many processes, and Redis coming and going."""

import sys
from collections.abc import Generator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from subprocess import PIPE, Popen

import pytest

from sync.errors import RateLimited
from sync.strava import Lane
from sync.strava.budget import ANSWER_S, Budget
from tests.support.servers import PATIENCE_S, Valkey, valkey, wait_for
from tests.sync.strava.budget_consumer import NOON, spend

LIMIT = 100
QUARTER = timedelta(minutes=15)


@pytest.fixture(scope="module")
def server() -> Generator[Valkey]:
    with valkey() as running:
        yield running


@pytest.fixture
def redis(server: Valkey) -> Generator[Valkey]:
    """Lend the module's Redis, empty, and see that it runs afterwards."""
    server.flush()
    yield server
    server.stop()
    server.start()


class SmallStrava:
    """Counts what reaches it and says so in its headers, as Strava does."""

    def __init__(self) -> None:
        self.used = 0

    def answer(self, budget: Budget) -> None:
        self.used += 1
        count = f"{self.used},{self.used}"
        budget.learn({"X-RateLimit-Usage": count, "X-ReadRateLimit-Usage": count})


def at_noon(redis: Valkey, *, answer_s: float = PATIENCE_S) -> Budget:
    """Give a process's budget; a Redis that a busy machine keeps waiting is there."""
    return Budget(redis.url, clock=lambda: NOON, answer_s=answer_s)


def ask(budget: Budget, strava: SmallStrava, times: int) -> None:
    with suppress(RateLimited):
        for _ in range(times):
            budget.reserve(Lane.WAITING)
            strava.answer(budget)


def used(budget: Budget) -> int:
    return budget.state().meters[1].used


@pytest.mark.processes
def test_two_processes_together_never_exceed_the_limit(redis: Valkey) -> None:
    command = [sys.executable, "-m", "tests.sync.strava.budget_consumer", redis.url]

    spenders = [Popen(command, stdout=PIPE) for _ in range(2)]  # noqa: S603
    taken = [int(spender.communicate()[0]) for spender in spenders]

    assert sum(taken) == LIMIT


def test_every_lane_has_its_turn_in_order(redis: Valkey) -> None:
    budget = at_noon(redis)

    taken = [spend(budget, lane) for lane in reversed(Lane)]

    assert taken == [70, 15, 10, 5]


def test_a_lane_is_told_when_to_try_again(redis: Valkey) -> None:
    budget = at_noon(redis)
    spend(budget, Lane.BACKFILL)

    with pytest.raises(RateLimited) as soon:
        budget.reserve(Lane.BACKFILL)
    spend(budget, Lane.WAITING)
    with pytest.raises(RateLimited) as at_the_boundary:
        budget.reserve(Lane.WAITING)

    assert NOON < soon.value.until < NOON + QUARTER
    assert at_the_boundary.value.until == NOON + QUARTER


def test_what_one_process_hears_from_strava_holds_for_all(redis: Valkey) -> None:
    one, other = at_noon(redis), at_noon(redis)

    one.learn(
        {
            "X-RateLimit-Limit": "400,4000",
            "X-RateLimit-Usage": "40,340",
            "X-ReadRateLimit-Limit": "200,2000",
            "X-ReadRateLimit-Usage": "30,330",
        }
    )

    meters = [(meter.used, meter.limit) for meter in other.state().meters]
    assert meters == [(40, 400), (30, 200), (340, 4000), (330, 2000)]


def test_one_refusal_pauses_every_process(redis: Valkey) -> None:
    one, other = at_noon(redis), at_noon(redis)

    until = one.learn({}, refused=True)

    assert until == NOON + QUARTER
    assert other.state().paused_until == until
    with pytest.raises(RateLimited):
        other.reserve(Lane.WAITING)


def test_a_request_that_never_left_comes_back(redis: Valkey) -> None:
    budget = at_noon(redis)

    budget.give_back(budget.reserve(Lane.WAITING))

    assert used(budget) == 0


def test_two_apps_on_one_redis_count_apart(redis: Valkey) -> None:
    one = Budget(redis.url, app="1", clock=lambda: NOON)
    other = Budget(redis.url, app="2", clock=lambda: NOON)

    spend(one, Lane.WAITING)

    assert used(other) == 0


def test_a_new_quarter_begins_by_the_clock(redis: Valkey) -> None:
    now = NOON
    budget = Budget(redis.url, clock=lambda: now)
    spend(budget, Lane.WAITING)

    now = NOON + QUARTER

    assert spend(budget, Lane.WAITING) == LIMIT


def test_redis_leaves_the_last_moment_of_a_quarter_alone(redis: Valkey) -> None:
    budget = Budget(redis.url, clock=lambda: NOON + QUARTER - timedelta(seconds=0.5))

    with pytest.raises(RateLimited) as refused:
        budget.reserve(Lane.WAITING)

    assert refused.value.until == NOON + QUARTER


def test_without_a_clock_of_its_own_redis_tells_the_time(redis: Valkey) -> None:
    # Looking is allowed at any time; a real quarter's last moments refuse work.
    resets_at = Budget(redis.url).state().meters[2].resets_at

    assert resets_at.time().isoformat() == "00:00:00"
    assert timedelta() < resets_at - datetime.now(UTC) <= timedelta(days=1)


def test_a_redis_that_was_emptied_knows_again_with_the_next_request(
    redis: Valkey,
) -> None:
    one, other, strava = at_noon(redis), at_noon(redis), SmallStrava()
    ask(one, strava, 30)
    ask(other, strava, 30)

    redis.flush()
    ask(one, strava, LIMIT)
    ask(other, strava, LIMIT)

    assert strava.used == LIMIT


def test_without_redis_work_goes_on_carefully(redis: Valkey) -> None:
    one, other, strava = at_noon(redis), at_noon(redis), SmallStrava()
    ask(one, strava, 10)

    redis.stop()
    ask(one, strava, LIMIT)
    ask(other, strava, LIMIT)

    assert strava.used == 10 + LIMIT // 4 + LIMIT // 4
    assert not one.state().shared


def test_a_redis_that_returns_empty_is_told_what_happened(redis: Valkey) -> None:
    one, other, strava = at_noon(redis), at_noon(redis), SmallStrava()
    ask(one, strava, 40)
    redis.stop()
    ask(one, strava, 10)
    ask(other, strava, 10)

    redis.start()
    wait_for(lambda: one.state().shared and other.state().shared)

    assert used(one) == 60
    ask(one, strava, LIMIT)
    assert strava.used == LIMIT


def test_a_redis_that_hangs_holds_nobody_up(redis: Valkey) -> None:
    budget = at_noon(redis, answer_s=ANSWER_S)
    budget.reserve(Lane.WAITING)

    redis.freeze()
    budget.reserve(Lane.WAITING)

    assert not budget.state().shared
    assert used(budget) == 2


def test_a_pause_outlives_redis(redis: Valkey) -> None:
    budget = at_noon(redis)
    budget.learn({}, refused=True)

    redis.stop()

    with pytest.raises(RateLimited):
        budget.reserve(Lane.WAITING)


def test_without_any_redis_a_process_has_the_whole_limit() -> None:
    budget = Budget("", clock=lambda: NOON)

    assert spend(budget, Lane.BACKFILL) == 70
    assert spend(budget, Lane.WAITING) == 30
