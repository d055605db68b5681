"""The crude budget of a process that cannot ask Redis."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sync.strava import Lane
from sync.strava.local_budget import LOCAL_DIVISOR, LocalBudget
from sync.strava.rate_limits import (
    DAY_MS,
    NEW_APP_LIMITS,
    QUARTER_MS,
    WINDOW_LENGTHS_MS,
    Action,
    Ledger,
    LimitCounts,
    Report,
    Step,
)

NOON = 20_000 * DAY_MS + DAY_MS // 2
TAKE = Step(Action.TAKE, lane=Lane.BACKFILL)


def count_granted(budget: LocalBudget, ledger: Ledger, now_ms: int) -> int:
    count = 0
    while not (result := budget.apply(TAKE, ledger, now_ms)).wait_until_ms:
        ledger, count = result.ledger, count + 1
    return count


def test_a_process_takes_a_quarter_of_the_reads() -> None:
    assert count_granted(LocalBudget(), Ledger(), NOON) == 25


def test_a_new_quarter_of_an_hour_begins_at_nothing() -> None:
    budget = LocalBudget()
    count_granted(budget, Ledger(), NOON)

    assert count_granted(budget, Ledger(), NOON + QUARTER_MS) == 25


def test_a_day_of_such_quarters_ends_at_a_quarter_of_the_day_s_reads() -> None:
    budget, midnight = LocalBudget(), 20_000 * DAY_MS
    moments = range(midnight, midnight + DAY_MS, QUARTER_MS)

    assert sum(count_granted(budget, Ledger(), moment) for moment in moments) == 250
    assert count_granted(budget, Ledger(), midnight + DAY_MS) == 25


def test_the_limits_are_learned_from_the_headers() -> None:
    budget = LocalBudget()
    larger = Step(report=Report(limits=LimitCounts(400, 200, 4000, 2000)))

    ledger = budget.apply(larger, Ledger(), NOON).ledger

    assert count_granted(budget, ledger, NOON) == 50


def test_a_limit_that_others_have_used_up_closes_the_window() -> None:
    budget = LocalBudget()
    nearly_used = Step(report=Report(used=LimitCounts(97, 97, 97, 97)))

    ledger = budget.apply(nearly_used, Ledger(), NOON).ledger

    assert count_granted(budget, ledger, NOON) == 3


def test_a_refusal_closes_the_quarter_of_an_hour() -> None:
    budget = LocalBudget()
    paused = budget.apply(Step(refused=True), Ledger(), NOON).ledger

    during = budget.apply(TAKE, paused, NOON + QUARTER_MS - 1)
    afterwards = budget.apply(TAKE, paused, NOON + QUARTER_MS)

    assert during.wait_until_ms == NOON + QUARTER_MS
    assert not afterwards.wait_until_ms


def test_a_refusal_does_not_shorten_a_pause_until_midnight() -> None:
    midnight = NOON + DAY_MS // 2
    ledger = Ledger(paused_until_ms=midnight)

    result = LocalBudget().apply(Step(refused=True), ledger, NOON)

    assert result.ledger.paused_until_ms == midnight


@given(
    waits_ms=st.lists(st.integers(0, QUARTER_MS // 8), min_size=1, max_size=200),
    limits=st.builds(
        LimitCounts,
        st.integers(4, 40),
        st.integers(4, 40),
        st.integers(4, 80),
        st.integers(4, 80),
    ),
)
def test_no_window_ever_gives_more_than_a_quarter(
    waits_ms: list[int], limits: LimitCounts
) -> None:
    budget, ledger, now_ms = LocalBudget(), Ledger(limits=limits), NOON
    granted: Counter[tuple[int, int]] = Counter()

    for wait_ms in waits_ms:
        now_ms += wait_ms
        result = budget.apply(TAKE, ledger, now_ms)
        ledger = result.ledger
        if not result.wait_until_ms:
            granted.update(enumerate(now_ms // length for length in WINDOW_LENGTHS_MS))

    assert ledger.limits == limits != NEW_APP_LIMITS
    assert all(
        count <= limits[index] / LOCAL_DIVISOR for (index, _), count in granted.items()
    )
