"""Means and differences allow for moods that last."""

import math

import numpy as np
import pytest
from scipy import stats

from sync.analytics.panels.definition import GroupComparison
from sync.analytics.stats.groups import (
    compare_welch,
    estimate_difference,
    estimate_mean,
)
from sync.analytics.stats.series import Z_CLAIM, InvalidSeries


def test_independent_groups_are_compared_as_welch_did() -> None:
    random = np.random.default_rng(1)
    values, label = random.normal(size=60), np.arange(60) % 2 == 0

    found = estimate_difference(values, label, np.arange(60))

    reference = stats.ttest_ind(values[label], values[~label], equal_var=False)
    low, high = reference.confidence_interval(0.95)
    assert found.n_eff == 60
    assert found.i95 == pytest.approx((low, high), abs=1e-6)


def test_labels_and_moods_in_stretches_widen_the_interval() -> None:
    stretch = np.repeat([0.0, 1.0, 0.0, 1.0], 15)
    mood = stretch + 0.3 * np.random.default_rng(2).normal(size=60)

    found = estimate_difference(mood, stretch > 0, np.arange(60))

    assert found.n_eff < 20
    low, high = found.i95
    plain = compare_welch(mood[stretch > 0], mood[stretch <= 0]).interval(1.96)
    assert high - low > plain[1] - plain[0]


def test_a_season_in_both_is_not_a_difference() -> None:
    days = np.arange(0.0, 730.0, 3)
    winter = np.cos(2 * np.pi * days / 365.25)
    mood = -winter + 0.5 * np.random.default_rng(3).normal(size=len(days))

    found = estimate_difference(mood, winter > 0.3, days)

    assert found.difference < -0.5
    assert not found.is_claim


def test_a_common_trend_alone_holds_a_claim_back() -> None:
    random, risen = np.random.default_rng(0), np.linspace(-1, 1, 400)
    label = random.random(400) < 0.5 + 0.3 * risen
    values = 0.6 * risen + random.normal(size=400)

    found = estimate_difference(values, label, np.arange(400.0))

    assert found.i99[0] > 0
    assert found.adjusted > 0
    assert not found.is_claim


def test_a_trend_that_hides_the_opposite_holds_a_claim_back() -> None:
    random, risen = np.random.default_rng(0), np.linspace(-1, 1, 800)
    label = random.random(800) < 0.5 + 0.45 * risen
    values = 1.2 * risen - 0.45 * label + 0.8 * random.normal(size=800)

    found = estimate_difference(values, label, np.arange(800.0))

    assert found.i99[0] > 0
    assert found.adjusted < -0.4
    assert not found.is_claim


@pytest.mark.parametrize(
    ("effect", "told"), [(0.0, "none"), (2.0, "higher"), (-2.0, "lower")]
)
def test_only_a_claim_is_told_as_a_difference(effect: float, told: str) -> None:
    random = np.random.default_rng(5)
    label = random.random(60) < 0.5
    values = effect * label + random.normal(size=60)

    panel = GroupComparison(
        values=values,
        in_first=label,
        days=np.arange(60.0),
        run_ids=np.arange(60),
        q=Z_CLAIM,
    )
    question = panel.build_question("company")

    assert question.evaluate(60).verdict == told


def test_a_clear_difference_is_claimed_from_fifteen_on_either_side() -> None:
    random = np.random.default_rng(4)
    label = random.random(60) < 0.5
    values = 2.0 * label + random.normal(size=60)
    fourteen = np.cumsum(label) <= 14

    assert estimate_difference(values, label, np.arange(60)).is_claim
    assert not estimate_difference(
        values[fourteen], label[fourteen], np.arange(60)[fourteen]
    ).is_claim


def test_groups_without_any_spread_are_never_certain() -> None:
    label = np.arange(40) % 2 == 0

    found = estimate_difference(label.astype(float), label, np.arange(40))

    assert found.i95 == (-math.inf, math.inf)
    assert not found.is_claim


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_a_mean_of_three_has_no_interval(n: int) -> None:
    found = estimate_mean(np.arange(n), np.arange(n))

    assert found.n == n
    assert found.i95 == (-math.inf, math.inf)


def test_a_mean_of_independent_values_has_the_usual_interval() -> None:
    values = np.random.default_rng(7).normal(size=50)

    found = estimate_mean(values, np.arange(50))

    error = values.std(ddof=1) / found.n_eff**0.5
    usual = stats.t.interval(0.95, found.n_eff - 1, values.mean(), error)
    assert found.i95 == pytest.approx(usual, abs=1e-6)


def test_one_value_is_no_group() -> None:
    with pytest.raises(InvalidSeries):
        compare_welch(np.array([1.0]), np.array([1.0, 2.0]))
