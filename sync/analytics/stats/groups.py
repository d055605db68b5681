"""Means and differences of means, with intervals that allow for persistence."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtrit

from sync.analytics.stats.persistence import effective_n, effective_n_of_mean
from sync.analytics.stats.rank_link import DRAWN, WORDS, excludes_zero
from sync.analytics.stats.season import seasonal_columns, without_season
from sync.analytics.stats.series import (
    EVERYTHING,
    Floats,
    Interval,
    NotCountable,
    columns,
    in_time_order,
)

FEWEST_SHOWN = 8
FEWEST_FOR_WORDS = 15


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of n values worth n_eff, with its 95 % interval."""

    n: int
    n_eff: float
    mean: float
    i95: Interval


@dataclass(frozen=True, slots=True)
class Welch:
    """Welch's difference of two means, as if all values were independent."""

    difference: float
    standard_error: float
    df: float

    @property
    def t(self) -> float:
        return self.difference / self.standard_error

    def interval(self, q: float) -> Interval:
        return t_interval(self.difference, self.standard_error, self.df, q)


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of the first group minus mean of the second, persistence allowed for.

    `adjusted` is the difference after trend and season. `shown` from 8 values
    in each group; `claim` from 15 in each, when the interval for words leaves
    zero out on the same side before and after season.
    """

    n_first: int
    n_second: int
    mean_first: float
    mean_second: float
    difference: float
    adjusted: float
    n_eff: float
    i95: Interval
    i99: Interval
    claim: bool

    @property
    def shown(self) -> bool:
        return min(self.n_first, self.n_second) >= FEWEST_SHOWN


def mean(values: npt.ArrayLike, days: npt.ArrayLike) -> Mean:
    """Mean of `values`, shape (n,), taken at `days`, with a t interval on n_eff."""
    when, series = columns(days=days, values=values)
    _, series = in_time_order(when, series)
    n = len(series)
    if n == 0:
        return Mean(0, 0.0, float("nan"), EVERYTHING)
    middle, worth = float(series.mean()), effective_n_of_mean(series)
    if n < 4:
        return Mean(n, worth, middle, EVERYTHING)
    error = float(series.std(ddof=1)) / worth**0.5
    return Mean(n, worth, middle, t_interval(middle, error, worth - 1, DRAWN))


def welch(first: Floats, second: Floats) -> Welch:
    """Welch's test of two groups, shapes (n,) and (m,), at least two values each.

    Source: Welch (1947); the same as `scipy.stats.ttest_ind(equal_var=False)`.
    """
    if min(len(first), len(second)) < 2:
        raise NotCountable("Each group needs at least two values.")
    parts = [group.var(ddof=1) / len(group) for group in (first, second)]
    weights = [
        part**2 / (len(group) - 1)
        for part, group in zip(parts, (first, second), strict=True)
    ]
    total = float(sum(parts))
    df = total**2 / float(sum(weights)) if total > 0 else float("nan")
    return Welch(float(first.mean() - second.mean()), total**0.5, df)


def difference(
    values: npt.ArrayLike,
    in_first: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    q: float = WORDS,
) -> Difference:
    """Compare `values`, shape (n,), where `in_first` is true with the others.

    Welch's standard error is widened by √(n / n_eff), n_eff from the
    persistence of the labels times that of the values: company, treadmill
    months and check-in weeks come in stretches, and so does mood. Degrees of
    freedom shrink with it. A claim must also hold after season.
    """
    when, label, series = in_time_order(
        *columns(days=days, in_first=np.asarray(in_first, dtype=float), values=values)
    )
    first, second = series[label > 0], series[label <= 0]
    worth = effective_n(label, series)
    fewest = min(len(first), len(second))
    if fewest < 2:
        return _incomparable(first, second, worth)
    plain = welch(first, second)
    error = plain.standard_error * (len(when) / worth) ** 0.5
    df = max(plain.df * worth / len(when), 1.0)
    adjusted, after_season = _after_season(series, label, when, q)
    before_season = t_interval(plain.difference, error, df, q)
    sure = excludes_zero(before_season) and excludes_zero(after_season)
    return Difference(
        n_first=len(first),
        n_second=len(second),
        mean_first=float(first.mean()),
        mean_second=float(second.mean()),
        difference=plain.difference,
        adjusted=adjusted,
        n_eff=worth,
        i95=t_interval(plain.difference, error, df, DRAWN),
        i99=t_interval(plain.difference, error, df, WORDS),
        claim=sure and adjusted * plain.difference > 0 and fewest >= FEWEST_FOR_WORDS,
    )


def t_interval(middle: float, error: float, df: float, q: float) -> Interval:
    """`middle` ± Student's t at the level of q normal standard errors.

    Everything is possible where nothing varies: no spread is no certainty.
    """
    if not error > 0 or not df > 0:
        return EVERYTHING
    reach = float(stdtrit(df, float(ndtr(q)))) * error
    return (middle - reach, middle + reach)


def _after_season(
    values: Floats, label: Floats, days: Floats, q: float
) -> tuple[float, Interval]:
    """Compare the groups after trend and season: the difference and its interval."""
    calendar = seasonal_columns(days)
    left_values, left_label = without_season(calendar, values, label)
    spread = float(left_label @ left_label)
    if not spread > 0:
        return float("nan"), EVERYTHING
    adjusted = float(left_label @ left_values) / spread
    left = left_values - adjusted * left_label
    df = effective_n(left_label, left_values) - calendar.shape[1] - 1
    if not df > 0:
        return adjusted, EVERYTHING
    error = float((left @ left) / df / spread) ** 0.5
    return adjusted, t_interval(adjusted, error, df, q)


def _incomparable(first: Floats, second: Floats, worth: float) -> Difference:
    nan = float("nan")
    return Difference(
        n_first=len(first),
        n_second=len(second),
        mean_first=float(first.mean()) if len(first) else nan,
        mean_second=float(second.mean()) if len(second) else nan,
        difference=nan,
        adjusted=nan,
        n_eff=worth,
        i95=EVERYTHING,
        i99=EVERYTHING,
        claim=False,
    )
