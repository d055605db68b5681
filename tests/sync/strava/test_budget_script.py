"""The rule of the shared budget, `budget.lua`, on a real Redis."""

import json
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import asdict, replace
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis import Redis

from sync.strava import Lane
from sync.strava.budget import SCRIPT
from sync.strava.rate_limits import (
    DAY_MS,
    QUARTER_MS,
    WINDOW_LENGTHS_MS,
    Action,
    Ledger,
    LimitCounts,
    Report,
    Step,
    StepResult,
    window_end_ms,
)
from tests.support.servers import run_valkey

NOON = 20_000 * DAY_MS + DAY_MS // 2
END = NOON + QUARTER_MS
MIDNIGHT = NOON + DAY_MS // 2
MARGIN_MS = 1_000
MIN_PAUSE_MS = 5_000
MAX_CLOCK_SKEW_MS = 60_000
RESERVES = {
    Lane.WAITING: 0,
    Lane.NEW_RUN: 0.05,
    Lane.RECONCILE: 0.15,
    Lane.BACKFILL: 0.3,
}
LIMITS = LimitCounts(200, 100, 2000, 1000)

RunStep: TypeAlias = Callable[[Step, Ledger, int], StepResult]


@pytest.fixture(scope="module")
def redis() -> Generator[Redis]:
    with run_valkey() as server, Redis.from_url(server.url) as client:
        yield client


@pytest.fixture
def run_step(redis: Redis) -> RunStep:
    """Run one step from exactly the ledger that is given."""
    script = redis.register_script(SCRIPT.read_text())

    def run(step: Step, ledger: Ledger, now_ms: int) -> StepResult:
        redis.flushall()
        request = {"now_ms": now_ms, "step": asdict(step), "ledger": asdict(ledger)}
        return StepResult.parse(script(keys=["ledger"], args=[json.dumps(request)]))

    return run


def build_ledger(reads: int, day: int = 0) -> Ledger:
    used = LimitCounts(reads, reads, day, day)
    return Ledger(NOON // QUARTER_MS, NOON // DAY_MS, used, LIMITS)


def take(lane: Lane) -> Step:
    return Step(Action.TAKE, lane=lane)


def count_granted(run_step: RunStep, lane: Lane, now_ms: int) -> int:
    """Count what a lane gets at one moment before it has to wait."""
    ledger, count = build_ledger(0), 0
    while not (result := run_step(take(lane), ledger, now_ms)).wait_until_ms:
        ledger, count = result.ledger, count + 1
    return count


def test_each_lane_leaves_a_reserve_to_those_above_it(run_step: RunStep) -> None:
    assert [count_granted(run_step, lane, NOON) for lane in Lane] == [100, 95, 85, 70]


def test_the_reserves_shrink_to_nothing_as_the_reset_nears(run_step: RunStep) -> None:
    halfway, nearly = NOON + QUARTER_MS // 2, END - 2 * MARGIN_MS

    at_half = [count_granted(run_step, lane, halfway) for lane in Lane]
    at_the_end = [count_granted(run_step, lane, nearly) for lane in Lane]

    assert at_half == [100, 97, 92, 85]
    assert at_the_end == [100, 100, 100, 100]


def test_a_lane_waits_only_until_the_reserve_has_shrunk_enough(
    run_step: RunStep,
) -> None:
    ledger = build_ledger(80)

    until_ms = run_step(take(Lane.BACKFILL), ledger, NOON).wait_until_ms
    too_early = run_step(take(Lane.BACKFILL), ledger, until_ms - 1)
    in_time = run_step(take(Lane.BACKFILL), ledger, until_ms)

    assert NOON < until_ms < END
    assert too_early.wait_until_ms == until_ms
    assert not in_time.wait_until_ms


def test_a_used_up_quarter_grants_nothing(run_step: RunStep) -> None:
    result = run_step(take(Lane.WAITING), build_ledger(100), NOON)

    assert result.wait_until_ms == END
    assert result.ledger.used == build_ledger(100).used


def test_a_used_up_day_grants_nothing(run_step: RunStep) -> None:
    result = run_step(take(Lane.WAITING), build_ledger(0, day=1000), NOON)

    assert result.wait_until_ms == MIDNIGHT


def test_a_new_quarter_begins_at_nothing_and_the_day_goes_on(run_step: RunStep) -> None:
    result = run_step(take(Lane.NEW_RUN), build_ledger(100, day=300), END)

    assert not result.wait_until_ms
    assert result.ledger.used == (1, 1, 301, 301)


def test_a_new_day_begins_at_midnight_utc(run_step: RunStep) -> None:
    result = run_step(take(Lane.WAITING), build_ledger(100, day=1000), MIDNIGHT)

    assert not result.wait_until_ms
    assert result.ledger.used == (1, 1, 1, 1)


def test_the_last_moment_of_a_quarter_is_left_alone(run_step: RunStep) -> None:
    result = run_step(take(Lane.WAITING), build_ledger(0), END - MARGIN_MS)

    assert result.wait_until_ms == END


def test_strava_s_count_wins_when_it_is_higher(run_step: RunStep) -> None:
    step = Step(report=Report(NOON, used=LimitCounts(90, 60, 500, 20)))

    assert run_step(step, build_ledger(70, day=30), NOON).ledger.used == (
        90,
        70,
        500,
        30,
    )


def test_strava_s_limits_win_in_both_directions(run_step: RunStep) -> None:
    raised = Step(report=Report(limits=LimitCounts(400, 200, 4000, 2000)))
    lowered = Step(report=Report(limits=LimitCounts(0, 50, 0, 900)))

    higher = run_step(raised, build_ledger(0), NOON).ledger
    lower = run_step(lowered, higher, NOON).ledger

    assert higher.limits == (400, 200, 4000, 2000)
    assert lower.limits == (400, 50, 4000, 900)


def test_an_answer_from_before_the_boundary_does_not_count_in_the_new_quarter(
    run_step: RunStep,
) -> None:
    late = Step(report=Report(END - 1000, used=LimitCounts(99, 99, 400, 400)))

    assert run_step(late, build_ledger(0), END + 500).ledger.used == (0, 0, 400, 400)


def test_a_clock_far_from_ours_is_not_believed(run_step: RunStep) -> None:
    counts = LimitCounts(50, 50, 50, 50)
    step = Step(report=Report(END - MAX_CLOCK_SKEW_MS - 1, used=counts))

    assert run_step(step, build_ledger(0), END).ledger.used == counts


def test_a_refusal_stops_every_lane_until_the_boundary(run_step: RunStep) -> None:
    refusal = Step(report=Report(NOON), refused=True)
    paused = run_step(refusal, build_ledger(10), NOON).ledger

    during = [run_step(take(lane), paused, END - 1).wait_until_ms for lane in Lane]
    afterwards = [run_step(take(lane), paused, END).wait_until_ms for lane in Lane]

    assert during == [END] * len(Lane)
    assert afterwards == [0] * len(Lane)


def test_a_refusal_for_the_day_stops_everybody_until_midnight(
    run_step: RunStep,
) -> None:
    report = Report(NOON, used=LimitCounts(9, 9, 1001, 1001))

    paused = run_step(Step(report=report, refused=True), build_ledger(9), NOON).ledger

    assert paused.paused_until_ms == MIDNIGHT


def test_a_refusal_at_the_boundary_pauses_for_some_seconds(run_step: RunStep) -> None:
    refusal = Step(report=Report(END - 1000), refused=True)

    paused = run_step(refusal, build_ledger(0), END + 100).ledger

    assert paused.paused_until_ms == END + 100 + MIN_PAUSE_MS


def test_a_pause_longer_than_a_day_is_not_believed(run_step: RunStep) -> None:
    ledger = replace(build_ledger(0), paused_until_ms=NOON + DAY_MS + 1)

    assert not run_step(take(Lane.WAITING), ledger, NOON).wait_until_ms


def test_a_refund_counts_in_the_windows_of_the_request_alone(
    run_step: RunStep,
) -> None:
    refund = Step(Action.REFUND, taken_at_ms=NOON)

    same_quarter = run_step(refund, build_ledger(5, day=5), NOON + 1).ledger
    next_quarter = run_step(refund, build_ledger(5, day=5), END).ledger

    assert same_quarter.used == (4, 4, 4, 4)
    assert next_quarter.used == (0, 0, 4, 4)


def test_nothing_is_refunded_below_zero(run_step: RunStep) -> None:
    refund = Step(Action.REFUND, taken_at_ms=NOON)

    assert run_step(refund, build_ledger(0), NOON).ledger.used == (0, 0, 0, 0)


small_counts = st.builds(LimitCounts, *[st.integers(0, 30)] * 4)
steps = st.one_of(
    st.builds(Step, st.just(Action.TAKE), lane=st.sampled_from(Lane)),
    st.builds(Step, st.just(Action.TAKE), lane=st.just(Lane.WAITING)),
    st.builds(
        Step,
        report=st.builds(
            Report,
            at_ms=st.integers(NOON - 2 * QUARTER_MS, NOON + 2 * QUARTER_MS),
            used=small_counts,
            limits=small_counts,
        ),
        refused=st.booleans(),
    ),
)
waits_ms = st.one_of(st.integers(1, 2_000), st.integers(1, QUARTER_MS))
stories = st.lists(st.tuples(waits_ms, steps), min_size=1, max_size=25)
STORY_SETTINGS = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SMALL_LIMITS = LimitCounts(20, 10, 40, 30)


@STORY_SETTINGS
@given(story=stories, starts_at=st.sampled_from([NOON - QUARTER_MS, MIDNIGHT - 60_000]))
def test_every_step_keeps_the_rules(
    run_step: RunStep, story: list[tuple[int, Step]], starts_at: int
) -> None:
    ledger, now_ms = Ledger(limits=SMALL_LIMITS), starts_at

    for wait_ms, step in story:
        now_ms += wait_ms
        before = run_step(Step(), ledger, now_ms).ledger
        result = run_step(step, ledger, now_ms)
        after = result.ledger

        if step.action is Action.TAKE and not result.wait_until_ms:
            assert after.used == tuple(used + 1 for used in before.used)
            assert before.paused_until_ms <= now_ms
            assert_reserve_is_left(after, step.lane, now_ms)
        elif step.action is Action.TAKE:
            assert after == before
            assert_wait_is_exact(run_step, step, ledger, result)
        else:
            assert_report_is_believed(step, before, after)
        if step.refused:
            assert_every_lane_waits(run_step, after, now_ms)
        ledger = after


def assert_reserve_is_left(after: Ledger, lane: Lane, now_ms: int) -> None:
    """Check the limit, and the lane's reserve for the rest of each window."""
    windows = zip(after.used, after.limits, WINDOW_LENGTHS_MS, strict=True)
    for used, limit, length_ms in windows:
        left = (window_end_ms(now_ms, length_ms) - now_ms) / length_ms
        assert used <= limit
        assert limit - used >= limit * RESERVES[lane] * left - 0.5


def assert_wait_is_exact(
    run_step: RunStep, step: Step, ledger: Ledger, result: StepResult
) -> None:
    """Check that no millisecond less would do, as far as this window goes."""
    until_ms = result.wait_until_ms
    assert until_ms > result.now_ms
    assert run_step(step, ledger, until_ms - 1).wait_until_ms
    if until_ms < window_end_ms(result.now_ms, QUARTER_MS) - MARGIN_MS:
        assert not run_step(step, ledger, until_ms).wait_until_ms


def assert_report_is_believed(step: Step, before: Ledger, after: Ledger) -> None:
    for known, reported, believed in zip(
        before.limits, step.report.limits, after.limits, strict=True
    ):
        assert believed == (reported or known)
    for known, reported, believed in zip(
        before.used, step.report.used, after.used, strict=True
    ):
        assert believed in {known, max(known, reported)}


def assert_every_lane_waits(run_step: RunStep, ledger: Ledger, now_ms: int) -> None:
    for lane in Lane:
        wait_until_ms = run_step(take(lane), ledger, now_ms).wait_until_ms
        assert wait_until_ms >= now_ms + MIN_PAUSE_MS


requests = st.lists(
    st.tuples(st.integers(0, 120_000), st.sampled_from(Lane), st.booleans()),
    min_size=1,
    max_size=80,
)


@STORY_SETTINGS
@given(story=requests)
@example(story=[(0, Lane.WAITING, False)] * 60)
def test_no_window_ever_holds_more_requests_than_its_limit(
    run_step: RunStep, story: list[tuple[int, Lane, bool]]
) -> None:
    """Count what reaches Strava; a request that does not is refunded at once."""
    ledger, now_ms = Ledger(limits=SMALL_LIMITS), MIDNIGHT - QUARTER_MS
    sent: Counter[tuple[int, int]] = Counter()

    for wait_ms, lane, never_leaves in story:
        now_ms += wait_ms
        result = run_step(take(lane), ledger, now_ms)
        ledger = result.ledger
        if result.wait_until_ms:
            continue
        if never_leaves:
            refund = Step(Action.REFUND, taken_at_ms=result.now_ms)
            ledger = run_step(refund, ledger, now_ms).ledger
        else:
            sent.update(enumerate(now_ms // length for length in WINDOW_LENGTHS_MS))
        expected = tuple(
            sent[index, now_ms // length]
            for index, length in enumerate(WINDOW_LENGTHS_MS)
        )
        assert ledger.used == expected

    assert all(count <= SMALL_LIMITS[index] for (index, _), count in sent.items())
