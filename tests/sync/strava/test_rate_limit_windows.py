"""The arithmetic of Strava's limits, and that Redis does the same sums."""

from collections.abc import Generator
from dataclasses import astuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from sync.strava import Lane
from sync.strava.budget import SCRIPT
from sync.strava.rate_limit_headers import parse_headers
from sync.strava.rate_limit_windows import (
    DAY_MS,
    MAX_CLOCK_SKEW_MS,
    MIN_PAUSE_MS,
    QUARTER_MS,
    RESERVE_PERMILLE,
    Ledger,
    LedgerEntry,
    LimitCounts,
    apply_entry,
    margin_ms,
)
from tests.support.servers import run_valkey

# A quarter past noon, some day.
NOON = 20_000 * DAY_MS + DAY_MS // 2
END = NOON + QUARTER_MS
QUIET: LimitCounts = (200, 100, 2000, 1000)


def build_usage(reads: int, day: int = 0) -> Ledger:
    return Ledger(
        NOON // QUARTER_MS, NOON // DAY_MS, (reads, reads, day, day), limits=QUIET
    )


def build_take(lane: Lane) -> LedgerEntry:
    return LedgerEntry(take=1, reserve_permille=RESERVE_PERMILLE[lane])


def count_taken(lane: Lane, now_ms: int) -> int:
    """Count what a lane gets at one moment before it has to wait."""
    ledger, count = build_usage(0), 0
    while True:
        ledger, until_ms = apply_entry(ledger, build_take(lane), now_ms)
        if until_ms:
            return count
        count += 1


def test_each_lane_leaves_a_reserve_to_those_above_it() -> None:
    assert [count_taken(lane, NOON) for lane in Lane] == [100, 95, 85, 70]


def test_the_reserves_shrink_to_nothing_as_the_reset_nears() -> None:
    halfway, nearly = NOON + QUARTER_MS // 2, END - 2_000

    assert [count_taken(lane, halfway) for lane in Lane] == [100, 97, 92, 85]
    assert [count_taken(lane, nearly) for lane in Lane] == [100, 100, 100, 100]


def test_a_lane_waits_only_until_the_reserve_has_shrunk_enough() -> None:
    ledger = build_usage(80)

    _, until_ms = apply_entry(ledger, build_take(Lane.BACKFILL), NOON)
    _, too_early = apply_entry(ledger, build_take(Lane.BACKFILL), until_ms - 1)
    _, in_time = apply_entry(ledger, build_take(Lane.BACKFILL), until_ms)

    assert NOON < until_ms < END
    assert too_early == until_ms
    assert not in_time


def test_nobody_gets_more_than_the_limit() -> None:
    ledger, until_ms = apply_entry(build_usage(100), build_take(Lane.WAITING), NOON)

    assert until_ms == END
    assert ledger.used == build_usage(100).used


def test_the_day_counts_as_well() -> None:
    _, until_ms = apply_entry(build_usage(0, day=1000), build_take(Lane.WAITING), NOON)

    assert until_ms == NOON + DAY_MS // 2


def test_a_new_quarter_begins_at_nothing_and_the_day_goes_on() -> None:
    ledger, until_ms = apply_entry(
        build_usage(100, day=300), build_take(Lane.NEW_RUN), END
    )

    assert not until_ms
    assert ledger.used == (1, 1, 301, 301)


def test_the_last_moment_of_a_quarter_is_left_alone() -> None:
    _, until_ms = apply_entry(
        build_usage(0), build_take(Lane.WAITING), END - margin_ms(QUARTER_MS)
    )

    assert until_ms == END


def test_strava_s_count_wins_when_it_is_higher() -> None:
    heard = LedgerEntry(reported_at_ms=NOON, used=(90, 60, 500, 20))

    ledger, _ = apply_entry(build_usage(70, day=30), heard, NOON)

    assert ledger.used == (90, 70, 500, 30)


def test_strava_s_limits_win_in_both_directions() -> None:
    more, _ = apply_entry(
        build_usage(0), LedgerEntry(limits=(400, 200, 4000, 2000)), NOON
    )
    less, _ = apply_entry(more, LedgerEntry(limits=(0, 50, 0, 900)), NOON)

    assert more.limits == (400, 200, 4000, 2000)
    assert less.limits == (400, 50, 4000, 900)


def test_an_answer_from_before_the_boundary_says_nothing_about_the_new_quarter() -> (
    None
):
    late = LedgerEntry(reported_at_ms=END - 1000, used=(99, 99, 400, 400))

    ledger, _ = apply_entry(build_usage(0), late, END + 500)

    assert ledger.used == (0, 0, 400, 400)


def test_a_clock_far_from_ours_is_not_believed() -> None:
    heard = LedgerEntry(
        reported_at_ms=NOON - MAX_CLOCK_SKEW_MS - 1, used=(50, 50, 50, 50)
    )

    ledger, _ = apply_entry(build_usage(0), heard, NOON)

    assert ledger.used == (50, 50, 50, 50)


def test_a_refusal_stops_everybody_until_the_boundary() -> None:
    paused, _ = apply_entry(
        build_usage(10), LedgerEntry(refused=True, reported_at_ms=NOON), NOON
    )

    _, during = apply_entry(paused, build_take(Lane.WAITING), END - 1)
    _, afterwards = apply_entry(paused, build_take(Lane.WAITING), END)

    assert during == END
    assert not afterwards


def test_a_refusal_for_the_day_stops_everybody_until_midnight() -> None:
    refusal = LedgerEntry(refused=True, reported_at_ms=NOON, used=(9, 9, 1001, 1001))

    paused, _ = apply_entry(build_usage(9), refusal, NOON)

    assert paused.paused_until_ms == NOON + DAY_MS // 2


def test_a_refusal_at_the_boundary_pauses_for_some_seconds() -> None:
    refusal = LedgerEntry(refused=True, reported_at_ms=END - 1000)

    paused, _ = apply_entry(build_usage(0), refusal, END + 100)

    assert paused.paused_until_ms == END + 100 + MIN_PAUSE_MS


def test_a_request_that_never_left_is_given_back_to_its_own_window() -> None:
    same, _ = apply_entry(
        build_usage(5, day=5), LedgerEntry(take=-1, taken_at_ms=NOON), NOON + 1
    )
    later, _ = apply_entry(
        build_usage(5, day=5), LedgerEntry(take=-1, taken_at_ms=NOON), END
    )

    assert same.used == (4, 4, 4, 4)
    assert later.used == (0, 0, 4, 4)


def test_headers_are_read_whatever_their_case() -> None:
    headers = {
        "X-Ratelimit-Limit": "200,2000",
        "x-ratelimit-usage": "70,303",
        "X-READRATELIMIT-LIMIT": "100,1000",
        "X-ReadRateLimit-Usage": "60,300",
        "Date": "Sat, 18 Oct 2025 09:14:59 GMT",
    }

    assert parse_headers(headers) == LedgerEntry(
        used=(70, 60, 303, 300),
        limits=(200, 100, 2000, 1000),
        reported_at_ms=1_760_778_899_000,
    )


@pytest.mark.parametrize("odd", ["", "many", "1", "1,2,3", "-5,-5", "0,0"])
def test_odd_headers_say_nothing(odd: str) -> None:
    assert (
        parse_headers({"X-RateLimit-Usage": odd, "X-RateLimit-Limit": odd})
        == LedgerEntry()
    )


@pytest.fixture(scope="module")
def redis() -> Generator[Redis]:
    with run_valkey() as server, Redis.from_url(server.url) as client:
        yield client


counts = st.integers(0, 30)
fours = st.tuples(counts, counts, counts, counts)
moments = st.integers(NOON - 2 * QUARTER_MS, NOON + 2 * QUARTER_MS)
entries = st.builds(
    LedgerEntry,
    take=st.sampled_from([0, 1, 1, 1, -1]),
    reserve_permille=st.sampled_from(sorted(RESERVE_PERMILLE.values())),
    taken_at_ms=moments,
    reported_at_ms=moments,
    used=fours,
    limits=fours,
    refused=st.sampled_from([False, False, False, True]),
)
stories = st.lists(st.tuples(st.integers(1, QUARTER_MS), entries), max_size=12)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(story=stories)
def test_redis_does_the_same_sums(
    redis: Redis, story: list[tuple[int, LedgerEntry]]
) -> None:
    script = redis.register_script(SCRIPT.read_text())
    redis.flushall()
    ledger, now_ms = Ledger(limits=(20, 10, 40, 30)), NOON - QUARTER_MS

    for passes_ms, entry in story:
        now_ms += passes_ms
        answer = script(
            keys=["ledger"], args=build_script_arguments(entry, ledger, now_ms)
        )
        ledger, until_ms = apply_entry(ledger, entry, now_ms)

        assert answer == [until_ms, now_ms, *flatten_ledger(ledger)]


def build_script_arguments(
    entry: LedgerEntry, ledger: Ledger, now_ms: int
) -> list[int]:
    constants = [QUARTER_MS, margin_ms(QUARTER_MS), MIN_PAUSE_MS, MAX_CLOCK_SKEW_MS]
    head = [entry.take, entry.reserve_permille, entry.taken_at_ms, entry.reported_at_ms]
    tail = [int(entry.refused), *entry.used, *entry.limits]
    return [now_ms, *constants, *head, *tail, *flatten_ledger(ledger)]


def flatten_ledger(ledger: Ledger) -> list[int]:
    quarter, day, counted, limits, paused_until_ms = astuple(ledger)
    return [quarter, day, *counted, *limits, paused_until_ms]
