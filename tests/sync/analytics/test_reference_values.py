"""The figures agree, digit for digit, with numbers computed elsewhere."""

import csv
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.regression.mixed_linear_model import MixedLM

from sync.analytics import link
from sync.analytics.dataset.distances import compute_trailing_load
from sync.analytics.stats.curve import fit_robust_line, fit_theil_sen
from sync.analytics.stats.groups import compare_welch
from sync.analytics.stats.series import (
    Z_DRAWN,
    Floats,
    compute_average_ranks,
    compute_lag_one,
    estimate_persistence,
)
from tests.support.paths import DATA


def read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="") as file:
        return list(csv.DictReader(file))


def numbers(rows: list[dict[str, str]], name: str) -> Floats:
    return np.array([float(row[name]) for row in rows])


def day_numbers(rows: list[dict[str, str]]) -> Floats:
    days = [date.fromisoformat(row["date"]).toordinal() for row in rows]
    return np.array(days, dtype=float)


SIXTY = [row for row in read("marathon.csv") if row["pace_min"]][:60]
MILES, PACE, DAYS = (
    numbers(SIXTY, "miles"),
    numbers(SIXTY, "pace_min"),
    day_numbers(SIXTY),
)


def printed(value: float, digits: int) -> float:
    return round(float(value), digits)


def test_the_link_of_sixty_real_runs() -> None:
    found = link(MILES, PACE, DAYS)

    assert found.n == 60
    assert found.n_eff == 60.0
    assert found.rho == pytest.approx(0.08068038373002508, abs=1e-15)
    assert [printed(end, 6) for end in found.i95] == [-0.184292, 0.334720]
    assert [printed(end, 6) for end in found.i99] == [-0.264003, 0.407091]
    assert printed(found.pshift, 6) == 0.466667
    assert printed(found.season.rho, 6) == 0.077044
    assert found.claim is False


@pytest.mark.parametrize("n", [40, 60])
def test_weekday_and_hour_are_taken_out_as_by_ordinary_least_squares(n: int) -> None:
    """Below 60 runs one column tells weekends, from 60 on six tell the weekdays."""
    days, hours = DAYS[:n] - 1, np.arange(n) * 5.0 % 24  # day 0 is a Monday
    weekday = days % 7
    clock = (
        [weekday >= 5]
        if n < 60
        else [
            *(weekday == day for day in np.unique(weekday)[1:]),
            np.sin(np.pi * hours / 12),
            np.cos(np.pi * hours / 12),
        ]
    )
    columns = np.column_stack([np.ones(n), days - days[0], *clock])

    found = link(MILES[:n], PACE[:n], days, hours=hours)

    left_of_miles, left_of_pace = (
        OLS(stats.rankdata(series[:n]), columns).fit().resid for series in (MILES, PACE)
    )
    wanted = stats.pearsonr(left_of_miles, left_of_pace).statistic
    lag_product = estimate_persistence(left_of_miles) * estimate_persistence(
        left_of_pace
    )
    shrinkage = (1 - max(lag_product, 0)) / (1 + max(lag_product, 0))
    assert found.adj == pytest.approx(wanted, abs=1e-12)
    assert found.adj_n_eff == pytest.approx(n * shrinkage - columns.shape[1] + 1)


@pytest.mark.parametrize(
    ("series", "plain", "corrected"),
    [(MILES, -0.2464665766, -0.2418946421), (PACE, 0.4360602440, 0.4765546428)],
)
def test_the_persistence_of_ranks(
    series: Floats, plain: float, corrected: float
) -> None:
    ranks = compute_average_ranks(series)

    assert printed(compute_lag_one(ranks), 10) == plain
    assert printed(estimate_persistence(ranks), 10) == corrected


@pytest.mark.parametrize(
    ("measure", "statistic", "pvalue"),
    [
        (stats.pearsonr, -0.03633351909573831, 0.7828484858802965),
        (stats.spearmanr, 0.08068038373002508, 0.5400076375122294),
        (stats.kendalltau, 0.05734940258324815, None),
    ],
)
def test_the_sample_is_the_one_that_was_measured(
    measure: Callable[..., tuple[float, float]], statistic: float, pvalue: float | None
) -> None:
    found, p = measure(MILES, PACE)

    assert found == pytest.approx(statistic, abs=1e-14)
    assert pvalue is None or p == pytest.approx(pvalue, abs=1e-13)


def test_the_slope_for_humans() -> None:
    found = fit_theil_sen(MILES, PACE)

    assert printed(found.slope, 4) == 0.0190
    assert printed(found.low, 4) == -0.0710
    assert printed(found.high, 4) == 0.0980
    assert printed(found.intercept, 4) == 7.7365


def test_the_robust_line() -> None:
    line = fit_robust_line(np.arange(60), PACE)

    wanted = [7.87714478, 7.88519448, 7.86383376, 7.59493695]
    assert [printed(line[at], 8) for at in (0, 10, 30, 59)] == wanted


def test_the_difference_of_two_means() -> None:
    short = numbers(SIXTY, "short") == 1

    found = compare_welch(PACE[short], PACE[~short])

    low, high = found.interval(Z_DRAWN)
    assert printed(found.t, 7) == -0.3522307
    assert printed(found.df, 7) == 24.7575477
    assert printed(2 * stats.t.sf(abs(found.t), found.df), 7) == 0.7276460
    assert (printed(low, 7), printed(high, 7)) == (-0.2652006, 0.1877701)


@pytest.mark.parametrize(
    ("day", "week", "month"),
    [
        ("2002-03-31", 28.5, 108.5),
        ("2004-07-04", 33.0, 148.6),
        ("2006-10-15", 46.2, 159.2),
    ],
)
def test_trailing_loads_of_a_real_log(day: str, week: float, month: float) -> None:
    log = read("marathon.csv")
    at = [date.fromisoformat(day).toordinal()]

    seven = compute_trailing_load(numbers(log, "miles"), day_numbers(log), at)
    four = compute_trailing_load(
        numbers(log, "miles"), day_numbers(log), at, window_days=28
    )

    assert (printed(seven[0], 6), printed(four[0], 6)) == (week, month)


@pytest.mark.parametrize(
    ("film", "n", "lift", "echo"),
    [
        ("1", 83, -2.198, -0.584),
        ("2", 78, 0.596, -0.355),
        ("3", 85, -0.200, -0.488),
        ("4", 84, 2.194, -0.467),
    ],
)
def test_a_low_start_alone_makes_a_lift(
    film: str, n: int, lift: float, echo: float
) -> None:
    rows = [row for row in read("affect.csv") if row["film"] == film]
    before, after = numbers(rows, "pa1"), numbers(rows, "pa2")

    change = after - before

    assert len(rows) == n
    assert change.mean() == pytest.approx(lift, abs=0.0006)
    assert printed(stats.pearsonr(change, before)[0], 3) == echo


def test_the_mixed_model_of_the_sleep_study() -> None:
    rows = read("sleepstudy.csv")
    days = np.column_stack([np.ones(len(rows)), numbers(rows, "days")])

    model = MixedLM(
        numbers(rows, "reaction"), days, numbers(rows, "subject"), exog_re=days
    ).fit(reml=True)

    assert [printed(value, 4) for value in model.fe_params] == [251.4051, 10.4673]
    spread = [*np.sqrt(np.diag(model.cov_re)), np.sqrt(model.scale)]
    assert spread == pytest.approx([24.741, 5.922, 25.592], abs=0.002)
