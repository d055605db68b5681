"""Means and differences of means, with intervals widened for autocorrelation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtrit

from sync.analytics.stats.rhythm import build_rhythm_columns
from sync.analytics.stats.series import (
    UNBOUNDED,
    Z_CLAIM,
    Z_DRAWN,
    Calendar,
    Floats,
    Interval,
    InvalidSeries,
    build_calendars,
    choose_word_levels,
    enclose,
    estimate_mean_n_eff,
    estimate_pair_n_eff,
    excludes_zero,
    sort_by_time,
    validate_columns,
)

MIN_GROUP_TO_SHOW = 8
MIN_GROUP_TO_CLAIM = 15


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of n values, effective sample size n_eff, with its 95 % interval."""

    n: int
    n_eff: float
    mean: float
    i95: Interval


@dataclass(frozen=True, slots=True)
class Welch:
    """Welch's difference of two means, under independence of all values."""

    difference: float
    standard_error: float
    df: float

    @property
    def t(self) -> float:
        return self.difference / self.standard_error

    def interval(self, q: float) -> Interval:
        return compute_t_interval(self.difference, self.standard_error, self.df, q)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first group's mean minus the second's, corrected for autocorrelation.

    `adjusted` is the difference after the calendar: trend, season, weekday and time of
    day.  `is_shown` needs 8 values in each group.  `words` is the interval that decides
    about words, longer than those drawn: it holds the difference at each of the
    `WordLevels`, and 0 where either group has fewer than 15 values.
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
    words: Interval

    @property
    def is_claim(self) -> bool:
        return excludes_zero(self.words)

    @property
    def is_shown(self) -> bool:
        return min(self.n_first, self.n_second) >= MIN_GROUP_TO_SHOW


def estimate_mean(values: npt.ArrayLike, days: npt.ArrayLike) -> Mean:
    """Estimate the mean of `values`, shape (n,), at `days`: a t interval on n_eff.

    Raises `InvalidSeries`.
    """
    times, series = validate_columns(days=days, values=values)
    _, series = sort_by_time(times, series)
    n = len(series)
    if n == 0:
        return Mean(0, 0.0, float("nan"), UNBOUNDED)
    center, n_eff = float(series.mean()), estimate_mean_n_eff(series)
    if n < 4:
        return Mean(n, n_eff, center, UNBOUNDED)
    error = float(series.std(ddof=1)) / n_eff**0.5
    return Mean(n, n_eff, center, compute_t_interval(center, error, n_eff - 1, Z_DRAWN))


def compare_welch(first: Floats, second: Floats) -> Welch:
    """Compare two groups, shapes (n,) and (m,), by Welch's test.

    Raises `InvalidSeries` for a group of fewer than two values.  Source: Welch
    (1947); it equals `scipy.stats.ttest_ind(equal_var=False)`.
    """
    if min(len(first), len(second)) < 2:
        raise InvalidSeries("Each group needs at least two values.")
    variances = [group.var(ddof=1) / len(group) for group in (first, second)]
    weights = [
        variance**2 / (len(group) - 1)
        for variance, group in zip(variances, (first, second), strict=True)
    ]
    total = float(sum(variances))
    df = total**2 / float(sum(weights)) if total > 0 else float("nan")
    return Welch(float(first.mean() - second.mean()), total**0.5, df)


def estimate_difference(
    values: npt.ArrayLike,
    in_first: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    q: float = Z_CLAIM,
    hours: npt.ArrayLike | None = None,
) -> Difference:
    """Compare `values`, shape (n,), where `in_first` is true with the others.

    Welch's standard error is widened by √(n / n_eff), and the degrees of freedom
    shrink by n_eff / n.  n_eff comes from the persistence of the labels times that
    of the values: company, treadmill months and check-in weeks come in stretches,
    and so does mood.  A claim must also hold after the calendar: `days` and `hours`
    are those of `link`.  Raises `InvalidSeries`.  Source: docs/figures.md, "The rule".
    """
    times, label, series, clock = sort_by_time(
        *validate_columns(
            days=days,
            in_first=np.asarray(in_first, dtype=float),
            values=values,
            hours=days if hours is None else hours,
        )
    )
    first, second = series[label > 0], series[label <= 0]
    n_eff = estimate_pair_n_eff(label, series)
    min_size = min(len(first), len(second))
    if min_size < 2:
        return _undefined_difference(first, second, n_eff)
    unadjusted = compare_welch(first, second)
    error = unadjusted.standard_error * (len(times) / n_eff) ** 0.5
    df = max(unadjusted.df * n_eff / len(times), 1.0)
    calendars = build_calendars(times, None if hours is None else clock)
    after_season = _adjust(series, label, calendars.season)
    after_calendar = _adjust(series, label, calendars.full)
    levels = choose_word_levels(q, len(times))
    intervals = [
        compute_t_interval(unadjusted.difference, error, df, levels.before),
        after_season.interval(levels.before),
        after_calendar.interval(levels.calendar),
    ]
    if excludes_zero(enclose(intervals)):
        rhythm = build_rhythm_columns(times, *calendars.season.remove(label))
        after_rhythm = _adjust(series, label, calendars.full.extend(rhythm))
        intervals.append(after_rhythm.interval(levels.rhythm))
    if min_size < MIN_GROUP_TO_CLAIM:
        intervals.append((0.0, 0.0))
    return Difference(
        n_first=len(first),
        n_second=len(second),
        mean_first=float(first.mean()),
        mean_second=float(second.mean()),
        difference=unadjusted.difference,
        adjusted=after_calendar.difference,
        n_eff=n_eff,
        i95=compute_t_interval(unadjusted.difference, error, df, Z_DRAWN),
        i99=compute_t_interval(unadjusted.difference, error, df, Z_CLAIM),
        words=enclose(intervals),
    )


def compute_t_interval(center: float, error: float, df: float, q: float) -> Interval:
    """Return `center` ± Student's t at the level of q normal standard errors.

    Without spread or degrees of freedom the interval has no ends.
    """
    if not error > 0 or not df > 0:
        return UNBOUNDED
    half_width = float(stdtrit(df, float(ndtr(q)))) * error
    return (center - half_width, center + half_width)


@dataclass(frozen=True, slots=True)
class _Adjusted:
    """A difference after the calendar; its interval has no ends without `df`."""

    difference: float
    standard_error: float
    df: float

    def interval(self, q: float) -> Interval:
        return compute_t_interval(self.difference, self.standard_error, self.df, q)


def _adjust(values: Floats, label: Floats, calendar: Calendar) -> _Adjusted:
    residual_values, residual_label = calendar.remove(values, label)
    spread = float(residual_label @ residual_label)
    if not spread > 0:
        return _Adjusted(float("nan"), 0.0, 0.0)
    adjusted = float(residual_label @ residual_values) / spread
    residuals = residual_values - adjusted * residual_label
    df = estimate_pair_n_eff(residual_label, residual_values) - calendar.df - 2
    error = float((residuals @ residuals) / df / spread) ** 0.5 if df > 0 else 0.0
    return _Adjusted(adjusted, error, df)


def _undefined_difference(first: Floats, second: Floats, n_eff: float) -> Difference:
    nan = float("nan")
    return Difference(
        n_first=len(first),
        n_second=len(second),
        mean_first=float(first.mean()) if len(first) else nan,
        mean_second=float(second.mean()) if len(second) else nan,
        difference=nan,
        adjusted=nan,
        n_eff=n_eff,
        i95=UNBOUNDED,
        i99=UNBOUNDED,
        words=UNBOUNDED,
    )
