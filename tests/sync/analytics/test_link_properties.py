"""The link rule holds its ground on every kind of series."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from sync.analytics import Link, link
from sync.analytics.stats.curve import compute_median_slope, fit_curve, fit_theil_sen
from sync.analytics.stats.series import (
    Z_CLAIM,
    Z_EXPLORATORY,
    Floats,
    InvalidSeries,
    compute_average_ranks,
)

pytestmark = pytest.mark.slow

METRES = st.integers(1_000, 60_000).map(float)
MOODS = st.integers(-2, 2).map(float)
KM_AND_MILES = 1000 / 1609.344


@st.composite
def draw_rows(draw: st.DrawFn, min_size: int = 4) -> tuple[Floats, Floats, Floats]:
    """Draw runs and moods on days that may repeat."""
    n = draw(st.integers(min_size, 60))
    return (
        draw(arrays(float, n, elements=METRES)),
        draw(arrays(float, n, elements=MOODS)),
        draw(arrays(float, n, elements=st.integers(0, 400).map(float))),
    )


def is_same_link(first: Link, second: Link) -> bool:
    return repr(first) == repr(second)


@given(draw_rows(), st.randoms(use_true_random=False))
def test_rows_may_come_in_any_order_even_at_equal_times(
    data: tuple[Floats, Floats, Floats], random: object
) -> None:
    x, y, days = data
    order = np.arange(len(x))
    random.shuffle(order)  # type: ignore[attr-defined]

    shuffled = link(x[order], y[order], days[order])

    assert is_same_link(shuffled, link(x, y, days))


@given(draw_rows())
def test_kilometres_and_miles_give_the_same_figures(
    data: tuple[Floats, Floats, Floats],
) -> None:
    metres, mood, days = data

    in_km, in_miles = metres / 1000, metres / 1609.344

    assert is_same_link(link(in_km, mood, days), link(in_miles, mood, days))


@given(draw_rows())
def test_the_other_way_round_is_the_mirror_image(
    data: tuple[Floats, Floats, Floats],
) -> None:
    x, y, days = data

    found, mirrored = link(x, y, days), link(x, -y, days)

    assert math.isnan(found.rho) or mirrored.rho == pytest.approx(-found.rho)
    assert mirrored.claim == found.claim


@given(draw_rows(min_size=1))
def test_every_number_stays_within_its_bounds(
    data: tuple[Floats, Floats, Floats],
) -> None:
    found = link(*data)

    low, high = found.i95
    wide_low, wide_high = found.i99
    assert -1 <= wide_low <= low <= high <= wide_high <= 1
    assert 0 < found.pshift <= 1
    assert min(4, found.n) <= found.n_eff <= max(found.n, 4)
    assert math.isnan(found.rho) or low <= found.rho + 1e-9 <= high + 2e-9


@given(draw_rows(min_size=2))
def test_every_turn_of_the_calendar_is_counted(
    data: tuple[Floats, Floats, Floats],
) -> None:
    x, y, _ = data
    found = link(x, y, np.arange(len(x)))

    if not math.isnan(found.rho):
        first, second = 2 * compute_average_ranks(x), 2 * compute_average_ranks(y)
        second -= second.mean()
        turned = [abs(np.roll(first, k) @ second) for k in range(len(x))]
        assert found.pshift == np.mean(np.array(turned) >= turned[0] - 1e-6)


@given(arrays(float, st.integers(4, 60), elements=MOODS))
def test_something_that_never_varies_is_linked_to_nothing(mood: Floats) -> None:
    constant = np.full(len(mood), 5000.0)

    found = link(constant, mood, np.arange(len(mood)))

    assert math.isnan(found.rho)
    assert (found.i95, found.pshift, found.claim) == ((-1.0, 1.0), 1.0, False)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_three_pairs_claim_nothing(n: int) -> None:
    found = link(np.arange(n), np.arange(n), np.arange(n))

    assert found.n == n
    assert found.i95 == (-1.0, 1.0)
    assert not found.claim


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_missing_number_is_refused(which: int, bad: float) -> None:
    columns = [np.arange(40.0), np.arange(40.0), np.arange(40.0)]
    columns[which][7] = bad

    with pytest.raises(InvalidSeries):
        link(*columns)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(InvalidSeries):
        link([1, 2, 3], [1, 2], [1, 2, 3])


@given(arrays(float, st.integers(1, 80), elements=METRES))
def test_ranks_are_the_usual_average_ranks(values: Floats) -> None:
    assert compute_average_ranks(values).tolist() == stats.rankdata(values).tolist()


def test_a_strong_link_is_claimed_and_a_trend_alone_is_not() -> None:
    random = np.random.default_rng(4)
    days = np.arange(120.0)
    x = random.normal(size=120)

    linked = link(x, x + 0.5 * random.normal(size=120), days)
    drifting = link(days + x, days + random.normal(size=120), days)

    assert linked.claim
    assert linked.is_certain_at(Z_EXPLORATORY)
    assert drifting.i95[0] > 0
    assert not drifting.claim


def test_an_exploring_panel_needs_more() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(30, 60))
    y = 0.5 * x + random.normal(size=(30, 60))
    days = np.arange(60)

    words = [link(x[i], y[i], days, q=Z_CLAIM).claim for i in range(30)]
    exploring = [link(x[i], y[i], days, q=Z_EXPLORATORY).claim for i in range(30)]

    assert 0 < sum(exploring) < sum(words)
    assert all(words[i] for i in range(30) if exploring[i])


@settings(max_examples=25)
@given(draw_rows(min_size=5))
def test_a_slope_in_miles_is_the_slope_in_kilometres(
    data: tuple[Floats, Floats, Floats],
) -> None:
    metres, mood, _ = data
    metres = metres + np.arange(len(metres))  # no two runs of the same length

    per_km = fit_theil_sen(metres / 1000, mood).slope
    per_mile = fit_theil_sen(metres / 1609.344, mood).slope

    assert per_km == pytest.approx(per_mile * KM_AND_MILES)
    assert compute_median_slope(metres / 1000, mood) == pytest.approx(per_km)


def test_no_line_is_drawn_through_few_answers_and_no_band_around_some() -> None:
    random = np.random.default_rng(5)
    x, y = random.normal(size=80), random.integers(-2, 3, 80)
    weeks = np.arange(80) // 3

    few, some, many = (fit_curve(x[:n], y[:n], weeks[:n]) for n in (29, 59, 80))

    assert few is None
    assert some is not None
    assert some.low is None
    assert many is not None
    assert many.low is not None
    assert (many.low <= many.y).all()
