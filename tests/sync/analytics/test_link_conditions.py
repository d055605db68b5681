"""Each condition of the rule holds a claim back by itself, all the others being met."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from numpy.random import Generator

from sync.analytics.stats.rank_link import (
    MAX_PSHIFT,
    MIN_N_EFF,
    MIN_PAIRS,
    Link,
    link,
)
from sync.analytics.stats.series import Floats, excludes_zero

Series: TypeAlias = tuple[Floats, Floats]


def nothing(random: Generator) -> Series:
    x = random.normal(size=90)
    return x, x + random.normal(size=90)


def too_few_pairs(random: Generator) -> Series:
    x = random.normal(size=MIN_PAIRS - 1)
    return x, x + 0.3 * random.normal(size=len(x))


def too_few_independent_pairs(random: Generator) -> Series:
    x = build_slow_series(random, 40)
    return x, x + 0.3 * build_slow_series(random, 40)


def too_wide_an_interval(random: Generator) -> Series:
    x = random.normal(size=90)
    return x, 0.26 * x + random.normal(size=90)


def a_rhythm_of_shifts(random: Generator) -> Series:
    """Let both be higher on days off, three on and three off, whatever the other does.

    No weekday tells these days.
    """
    day_off = np.arange(144) % 6 >= 3
    return (
        day_off + 0.3 * random.normal(size=144),
        day_off + 0.3 * random.normal(size=144),
    )


def a_trend(random: Generator) -> Series:
    """Let both rise over the year, and each day have nothing to do with the other."""
    risen = np.linspace(-1, 1, 400)
    return risen + random.normal(size=400), risen + random.normal(size=400)


def a_trend_that_hides_the_opposite(random: Generator) -> Series:
    risen, own = np.linspace(-1.6, 1.6, 400), random.normal(size=400)
    return risen + own, risen - 0.15 * own + 0.6 * random.normal(size=400)


def build_slow_series(random: Generator, n: int) -> Floats:
    steps = random.normal(size=n)
    for index in range(1, n):
        steps[index] = 0.7 * steps[index - 1] + 0.7 * steps[index]
    return steps


def failed_conditions(link: Link) -> list[str]:
    met = {
        too_few_pairs: link.n >= MIN_PAIRS,
        too_few_independent_pairs: link.n_eff >= MIN_N_EFF,
        too_wide_an_interval: excludes_zero(link.i99),
        a_rhythm_of_shifts: link.pshift <= MAX_PSHIFT,
        a_trend: excludes_zero(link.adj95),
        a_trend_that_hides_the_opposite: link.adj * link.rho > 0,
    }
    return [condition.__name__ for condition, is_met in met.items() if not is_met]


@pytest.mark.parametrize(
    ("made_of", "seed"),
    [
        (nothing, 0),
        (too_few_pairs, 0),
        (too_few_independent_pairs, 0),
        (too_wide_an_interval, 0),
        (a_rhythm_of_shifts, 0),
        (a_trend, 0),
        (a_trend_that_hides_the_opposite, 1),
    ],
)
def test_one_condition_alone_holds_a_claim_back(
    made_of: Callable[[Generator], Series], seed: int
) -> None:
    x, y = made_of(np.random.default_rng(seed))

    found = link(x, y, np.arange(float(len(x))))

    assert failed_conditions(found) == (
        [] if made_of is nothing else [made_of.__name__]
    )
    assert found.claim is (made_of is nothing)
