"""The slope on a delay drawn at random, against numpy's own algebra and all draws."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.analytics.stats.random_delay import (
    DelayDraws,
    compare_delays,
    compute_p_random,
    estimate_delay_slope,
    is_delay_claim,
)
from sync.analytics.stats.series import Floats, InvalidSeries, excludes_zero

OFFERED = np.array([0.0, 1.0, 2.0, 4.0, 6.0])
ALL, EVENING = (0.2,) * 5, (1 / 3, 1 / 3, 1 / 3, 0.0, 0.0)


def build_draws(
    n: int, *, seed: int = 7, slope: float = 0.0, evening_mood: float = 0.0
) -> DelayDraws:
    random = np.random.default_rng(seed)
    is_evening = random.random(n) < 0.4
    odds = np.where(is_evening[:, None], EVENING, ALL)
    delays = np.array([random.choice(OFFERED, p=row) for row in odds])
    latent = random.normal(0.4, 0.8, n) + slope * delays + evening_mood * is_evening
    return DelayDraws(
        np.clip(np.round(latent), -2, 2),
        delays,
        OFFERED,
        odds,
        np.sort(random.uniform(0, 400, n)),
        np.where(is_evening, 18.5, random.choice((8.0, 13.0), n)) + delays,
    )


def solve(values: Floats, *columns: Floats) -> tuple[float, float]:
    """Return the first column's coefficient and its HC3 error, by the textbook."""
    x = np.column_stack(columns)
    inverse = np.linalg.inv(x.T @ x)
    coefficients = inverse @ x.T @ values
    leverage = np.diag(x @ inverse @ x.T)
    errors = (values - x @ coefficients) / (1 - leverage)
    covariance = inverse @ (x.T * errors**2) @ x @ inverse
    return float(coefficients[0]), float(covariance[0, 0] ** 0.5)


def test_the_slope_is_that_of_least_squares_with_hc3() -> None:
    draws = build_draws(60, slope=-0.15)
    expected_h = draws.odds @ OFFERED

    slope = estimate_delay_slope(draws)

    value, error = solve(draws.values, draws.delays_h, np.ones(60), expected_h)
    assert slope.value == pytest.approx(value, abs=1e-12)
    assert slope.unadjusted.standard_error == pytest.approx(error, abs=1e-12)
    assert slope.unadjusted.df == 57
    # Student's t of 57 degrees of freedom at 97.5 %.
    assert slope.i95[1] - slope.value == pytest.approx(2.0024655 * error, abs=1e-6)


def test_golden_numbers() -> None:
    draws = build_draws(60, slope=-0.15)

    slope = estimate_delay_slope(draws)

    assert (slope.value, slope.unadjusted.standard_error) == pytest.approx(
        GOLDEN_SLOPE, abs=1e-9
    )
    assert compute_p_random(draws) == pytest.approx(GOLDEN_P, abs=1e-9)


def test_the_exact_test_counts_every_draw_by_its_odds() -> None:
    draws = build_draws(6, seed=3, slope=-0.4)
    stratum = draws.odds[:, 4] > 0
    means = np.where(
        stratum, draws.values[stratum].mean(), draws.values[~stratum].mean()
    )
    weights = np.rint(8 * (draws.values - means))
    center = float((draws.odds @ OFFERED) @ weights)
    observed = abs(float(draws.delays_h @ weights) - center)

    share = 0.0
    for indices in product(range(5), repeat=6):
        chance = np.prod([draws.odds[row, index] for row, index in enumerate(indices)])
        distance = abs(float(OFFERED[list(indices)] @ weights) - center)
        share += chance if distance >= observed - 1e-9 else 0.0

    assert compute_p_random(draws) == pytest.approx(share, abs=1e-12)


def test_without_an_effect_the_exact_test_is_right_about_how_often_it_errs() -> None:
    shares = [compute_p_random(build_draws(40, seed=seed)) for seed in range(400)]

    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(shares) <= level) <= level + 3 * (level / 400) ** 0.5


def test_the_hour_of_the_run_moves_nothing() -> None:
    """Evening runs feel better and offer no late hours: no slope comes of that."""
    slopes = [
        estimate_delay_slope(build_draws(120, seed=seed, evening_mood=1.0)).value
        for seed in range(200)
    ]

    assert abs(np.mean(slopes)) < 0.01


def test_what_the_hour_alone_explains_is_not_claimed() -> None:
    """Mood that follows the clock falls with the delay, and says nothing of it."""
    draws = build_draws(240)
    by_hour = 2 * np.cos((draws.hours - 8) * 2 * np.pi / 24)
    noise = np.random.default_rng(2).normal(0, 0.3, 240)
    by_the_clock = DelayDraws(
        by_hour + noise, draws.delays_h, OFFERED, draws.odds, draws.days, draws.hours
    )

    slope = estimate_delay_slope(by_the_clock)

    assert slope.i99[1] < 0
    assert not is_delay_claim(by_the_clock)


def test_runs_that_all_end_at_one_hour_cannot_tell_the_clock_from_the_delay() -> None:
    draws = build_draws(120, slope=-0.4)
    one_hour = DelayDraws(
        draws.values,
        draws.delays_h,
        OFFERED,
        draws.odds,
        draws.days,
        8 + draws.delays_h,
    )

    assert is_delay_claim(draws)
    assert not is_delay_claim(one_hour)


def test_contrasts_weigh_by_the_inverse_of_the_odds() -> None:
    draws = build_draws(200)

    contrast = compare_delays(draws)[2]

    means = []
    for hours, column in ((2.0, 2), (0.0, 0)):
        rows = draws.delays_h == hours
        weights = 1 / draws.odds[rows, column]
        means.append(float(weights @ draws.values[rows] / weights.sum()))
    assert contrast.mean == pytest.approx(means[0])
    assert contrast.difference == pytest.approx(means[0] - means[1])


def test_late_hours_are_set_only_against_runs_that_offered_them() -> None:
    draws = build_draws(200, evening_mood=2.0)

    contrasts = compare_delays(draws)

    is_early = draws.odds[:, 4] > 0
    assert contrasts[6].n_first == ((draws.delays_h == 0) & is_early).sum()
    low, high = contrasts[6].i95
    assert low < 0 < high


def test_too_few_are_not_compared() -> None:
    assert compare_delays(build_draws(12)) == {}
    few = compare_delays(build_draws(60))
    assert all(contrast.n >= 8 for contrast in few.values())


def test_a_strong_decay_is_claimed_and_none_is_not() -> None:
    assert is_delay_claim(build_draws(60, slope=-0.4))
    assert not is_delay_claim(build_draws(60))
    assert not is_delay_claim(build_draws(29, slope=-0.4))


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_a_few_say_nothing(n: int) -> None:
    draws = build_draws(60).select(slice(n))

    slope = estimate_delay_slope(draws)

    assert not excludes_zero(slope.i95)
    assert not is_delay_claim(draws)
    assert 0 < compute_p_random(draws) <= 1


def test_what_never_varies_says_nothing() -> None:
    draws = build_draws(60)
    same_mood = DelayDraws(
        np.ones(60), draws.delays_h, OFFERED, draws.odds, draws.days, draws.hours
    )
    one_delay = DelayDraws(
        draws.values, np.ones(60), OFFERED, draws.odds, draws.days, draws.hours
    )

    assert not is_delay_claim(same_mood)
    assert compute_p_random(same_mood) == 1
    assert np.isnan(estimate_delay_slope(one_delay).value)
    assert not is_delay_claim(one_delay)


@given(st.integers(0, 10_000), st.sampled_from([-1.0, 1.0]), st.integers(-3, 3))
def test_order_and_level_do_not_matter(seed: int, sign: float, shift: int) -> None:
    draws = build_draws(45, seed=seed, slope=-0.1)
    order = np.random.default_rng(seed).permutation(45)
    changed = DelayDraws(
        sign * draws.values[order] + shift,
        draws.delays_h[order],
        OFFERED,
        draws.odds[order],
        draws.days[order],
        draws.hours[order],
    )

    slope, other = estimate_delay_slope(draws), estimate_delay_slope(changed)

    assert other.value == pytest.approx(sign * slope.value, abs=1e-9)
    assert other.adjusted.value == pytest.approx(sign * slope.adjusted.value, abs=1e-9)
    assert compute_p_random(changed) == pytest.approx(compute_p_random(draws))
    assert is_delay_claim(changed) == is_delay_claim(draws)


def test_a_delay_that_was_not_offered_is_refused() -> None:
    draws = build_draws(30)
    with pytest.raises(InvalidSeries, match="not offered"):
        DelayDraws(
            draws.values, np.full(30, 3.0), OFFERED, draws.odds, draws.days, draws.hours
        )
    with pytest.raises(InvalidSeries, match="missing"):
        DelayDraws(
            np.full(30, np.nan),
            draws.delays_h,
            OFFERED,
            draws.odds,
            draws.days,
            draws.hours,
        )


# By numpy alone: np.linalg.inv on the three columns, and all draws by convolution.
GOLDEN_SLOPE = (-0.10045603442738785, 0.06390159442333106)
GOLDEN_P = np.float64(0.08104851951032632)
