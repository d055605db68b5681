"""Our robust local line is statsmodels' own, to the ninth digit and at every edge."""

from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.nonparametric.smoothers_lowess import lowess as judge

from sync.analytics.stats.curve import (
    FRACTION,
    choose_fit_spacing,
    fit_curve,
    fit_robust_line,
    lowess,
)
from sync.analytics.stats.series import Floats, InvalidSeries

WHOLE = st.integers(-20, 20).map(float)
REAL = st.integers(-100_000, 100_000).map(lambda number: number / 1000)
FRACTIONS = st.sampled_from((0.0, 0.1, 1 / 3, 2 / 3, 0.9, 1.0)) | st.floats(0, 1)
DELTAS = st.just(0.0) | st.integers(0, 60).map(float) | st.floats(0, 250)
SAME = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-9)
NOTHING = np.array([])


def statsmodels_lowess(
    x: Floats, y: Floats, *, frac: float, it: int, delta: float
) -> Floats:
    # The judge's own order is another one among equal x.
    order = np.argsort(x, kind="stable")
    fitted = np.empty_like(y)
    # Where all neighbors have the same x, it divides by 0 and goes on.
    with np.errstate(divide="ignore", invalid="ignore"):
        fitted[order] = judge(
            y[order],
            x[order],
            frac=frac,
            it=it,
            delta=delta,
            is_sorted=True,
            return_sorted=False,
        )
    return fitted


@st.composite
def draw_points(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Draw points, often with equal x, equal y or both."""
    n = draw(st.integers(1, 60))
    x, y = (
        draw(arrays(float, n, elements=draw(st.sampled_from((WHOLE, REAL)))))
        for _ in "xy"
    )
    return x, y


def is_decided_by_rounding(residuals: Floats) -> bool:
    """Tell whether the median residual and others are 0 but for rounding.

    Then rounding alone says which points are outliers and which are not.
    """
    is_rounding = (residuals > 0) & (residuals < 1e-9)
    return bool(np.median(residuals) < 1e-9 and is_rounding.any())


@given(draw_points(), FRACTIONS, st.integers(0, 3), DELTAS)
def test_any_cloud_gets_the_judges_line(
    cloud: tuple[Floats, Floats], frac: float, it: int, delta: float
) -> None:
    x, y = cloud
    ours = partial(lowess, x, y, frac=frac, delta=delta)
    usual = partial(statsmodels_lowess, x, y, frac=frac, delta=delta)
    for earlier in range(it):
        for line in (ours, usual):
            assume(not is_decided_by_rounding(np.abs(y - line(it=earlier))))
    # Where outliers leave neighbors of one x alone, the judge's line depends on the
    # unit of x: it divides what is nothing but rounding by a number as small.
    for unit in (3, 7):
        same = statsmodels_lowess(x * unit, y, frac=frac, it=it, delta=delta * unit)
        assume(np.abs(same - usual(it=it)).max() < 1e-10)

    SAME(ours(it=it), usual(it=it))


@pytest.mark.parametrize("n", [30, 60, 100, 101, 500, 5_000, 12_000])
@pytest.mark.parametrize("digits", [0, 3])
def test_a_runners_curve_is_the_judges(n: int, digits: int) -> None:
    random = np.random.default_rng(n)
    x = random.gamma(4, 8, n).round(digits)
    y = np.clip((random.normal(size=n) + x / 30).round(), -2, 2)

    usual = statsmodels_lowess(x, y, frac=FRACTION, it=3, delta=choose_fit_spacing(x))
    SAME(fit_robust_line(x, y), usual)


@pytest.mark.parametrize("delta", [0.0, 0.5, 2.0, 100.0])
@pytest.mark.parametrize("frac", [0.0, 0.05, 0.5, 1.0])
def test_outliers_lose_their_weight_as_with_the_judge(
    frac: float, delta: float
) -> None:
    random = np.random.default_rng(3)
    x = random.uniform(0, 50, 400)
    y = np.sin(x / 5) + random.standard_cauchy(400)

    SAME(
        lowess(x, y, frac=frac, it=3, delta=delta),
        statsmodels_lowess(x, y, frac=frac, it=3, delta=delta),
    )


@pytest.mark.parametrize(
    ("x", "y"),
    [
        pytest.param([3.0], [2.0], id="one point"),
        pytest.param([3.0, 1.0], [2.0, -1.0], id="two points"),
        pytest.param([5.0] * 9, [2.0, *range(8)], id="one x"),
        pytest.param([5.0] * 9 + [7.0], range(10), id="one x but once"),
        pytest.param([1.0, *[5.0] * 9, 7.0, 9.0], range(12), id="most of one x"),
        pytest.param(range(12), [1.0] * 12, id="one y"),
        pytest.param(range(12), range(0, 36, 3), id="a straight line"),
        pytest.param([0, 1e-7, 2e-7, 3e-7, 1e6], [0, 1, 0, 1, 5], id="far away"),
    ],
)
@pytest.mark.parametrize("delta", [0.0, 1.0])
def test_where_hardly_a_line_can_be_drawn_it_is_still_the_judges(
    x: object, y: object, delta: float
) -> None:
    x, y = (np.array(values, dtype=float) for values in (x, y))

    for it in range(4):
        SAME(
            lowess(x, y, it=it, delta=delta),
            statsmodels_lowess(x, y, frac=FRACTION, it=it, delta=delta),
        )


@pytest.mark.parametrize(("equal", "is_drawn"), [(39, True), (40, False), (60, False)])
def test_no_line_is_drawn_where_two_thirds_ran_one_distance(
    equal: int, is_drawn: bool
) -> None:
    x = np.concatenate([np.full(equal, 5.0), np.linspace(1, 8.7, 60 - equal)])
    y = np.resize([-1.0, 2.0, 0.0], 60)

    assert (fit_curve(x, y, np.arange(60)) is not None) is is_drawn


def test_no_points_have_no_line() -> None:
    assert lowess(NOTHING, NOTHING).shape == (0,)


@pytest.mark.parametrize(
    ("x", "y", "options"),
    [
        ([1.0, np.nan], [1.0, 2.0], {}),
        ([1.0, 2.0], [np.inf, 2.0], {}),
        ([1.0, 2.0], [1.0], {}),
        ([1.0, 2.0], [1.0, 2.0], {"frac": 1.1}),
        ([1.0, 2.0], [1.0, 2.0], {"frac": -0.1}),
        ([1.0, 2.0], [1.0, 2.0], {"it": -1}),
        ([1.0, 2.0], [1.0, 2.0], {"delta": -1.0}),
        ([1.0, 2.0], [1.0, 2.0], {"delta": np.nan}),
    ],
)
def test_what_cannot_be_counted_is_refused(
    x: list[float], y: list[float], options: dict[str, float]
) -> None:
    with pytest.raises(InvalidSeries):
        lowess(x, y, **options)  # type: ignore[arg-type]
