"""How a value moves with a delay that was drawn at random, and how sure that is.

Each value comes with the odds of its draw.  What happened later, when the runner read
or answered, is not looked at: whoever answers late may do so for a reason.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from sync.analytics.stats.groups import compute_t_interval
from sync.analytics.stats.series import (
    Z_CLAIM,
    Z_DRAWN,
    Z_EXPLORATORY,
    Flags,
    Floats,
    Interval,
    Ints,
    InvalidSeries,
    build_calendars,
    excludes_zero,
    validate_columns,
)

MIN_DRAWS = 30
MIN_PER_DELAY = 8
_TEST_RESOLUTION = 8  # of one mood step in the exact test
_SAME_SUM = 1e-9
_NO_SPREAD = 1e-9
_DAY_HOURS = 24


@dataclass(frozen=True, slots=True, eq=False)
class DelayDraws:
    """Values with the draws that they came after, oldest first.

    values     shape (n,), finite
    delays_h   what was drawn for each, in whole hours, shape (n,)
    offered_h  the delays that there are, ascending, shape (k,)
    odds       probability of each delay in each draw, shape (n, k); 0 for one that
               was not offered
    days       when each value came, shape (n,); whole parts are local days, 0 a Monday
    hours      the local hour of each drawn moment, shape (n,)
    """

    values: Floats
    delays_h: Floats
    offered_h: Floats
    odds: Floats
    days: Floats
    hours: Floats

    def __post_init__(self) -> None:
        """Raise `InvalidSeries` for a draw that could not have come out so."""
        validate_columns(
            values=self.values,
            delays_h=self.delays_h,
            days=self.days,
            hours=self.hours,
        )
        n, k = len(self.values), len(self.offered_h)
        if self.odds.shape != (n, k) or not np.isfinite(self.odds).all():
            raise InvalidSeries("odds must have a share for each value and delay.")
        is_drawn = self.delays_h[:, None] == self.offered_h
        if (self.odds < 0).any() or not (is_drawn & (self.odds > 0)).any(axis=1).all():
            raise InvalidSeries("a delay was drawn that was not offered.")

    @property
    def expected_h(self) -> Floats:
        """The mean delay by the odds of each draw, shape (n,)."""
        return np.asarray(self.odds @ self.offered_h)

    def select(self, rows: Flags | slice) -> "DelayDraws":
        return DelayDraws(
            self.values[rows],
            self.delays_h[rows],
            self.offered_h,
            self.odds[rows],
            self.days[rows],
            self.hours[rows],
        )


@dataclass(frozen=True, slots=True)
class FittedSlope:
    """A slope with its standard error and degrees of freedom; nan without any."""

    value: float
    standard_error: float
    df: float

    def interval(self, q: float) -> Interval:
        return compute_t_interval(self.value, self.standard_error, self.df, q)


@dataclass(frozen=True, slots=True)
class DelaySlope:
    """How n values move with the drawn delay, in steps of the scale an hour.

    `adjusted` is the slope after the calendar and the hour of the day; each is nan
    where nothing is left to compare.  `i99` is the interval for words about a question
    fixed in advance.
    """

    n: int
    unadjusted: FittedSlope
    adjusted: FittedSlope

    @property
    def value(self) -> float:
        return self.unadjusted.value

    @property
    def i95(self) -> Interval:
        return self.unadjusted.interval(Z_DRAWN)

    @property
    def i99(self) -> Interval:
        return self.unadjusted.interval(Z_CLAIM)


@dataclass(frozen=True, slots=True)
class DelayContrast:
    """The mean after one delay less that after the first, of draws that offered both.

    Each value counts by the inverse of its odds.  `n` values came after this delay,
    `n_first` after the first.
    """

    n: int
    n_first: int
    mean: float
    difference: float
    i95: Interval


def estimate_delay_slope(draws: DelayDraws) -> DelaySlope:
    """Estimate how the values move with each hour of delay that was drawn.

    Least squares on the delay and on the delay that was to be expected by the odds:
    what moves both the values and the delays on offer, such as the hour of the run,
    so drops out.  Source: Boruvka, Almirall, Witkiewitz and Murphy (2018), weighted
    and centred least squares, doi 10.1080/01621459.2017.1305274.

    The draws are independent of each other and of all that came before, so White's
    standard error, as HC3 of MacKinnon and White (1985), is honest however long moods
    persist.

    Later after a run is also later in the day.  A wave of 24 hours takes out what the
    hour alone goes along with; a runner whose runs all end at one hour can learn no
    more, and the adjusted slope then is as good as unknown.
    """
    n, expected_h = len(draws.values), draws.expected_h
    if n == 0:
        nothing = FittedSlope(float("nan"), float("nan"), 0.0)
        return DelaySlope(0, nothing, nothing)
    angle = draws.hours * (2 * np.pi / _DAY_HOURS)
    calendar = (build_calendars(draws.days).full.basis, np.sin(angle), np.cos(angle))
    return DelaySlope(
        n=n,
        unadjusted=_fit_slope(draws, np.column_stack((np.ones(n), expected_h))),
        adjusted=_fit_slope(draws, np.column_stack((*calendar, expected_h))),
    )


def is_delay_claim(draws: DelayDraws, *, q: float = Z_EXPLORATORY) -> bool:
    """Tell whether the rule allows a sentence about the drawn delay.

    It needs 30 values, an interval at `q` standard errors that excludes 0, the exact
    test at the same level, and after the calendar and the hour of the day the same
    sign with a 95 % interval that excludes 0.
    """
    slope = estimate_delay_slope(draws)
    return (
        slope.n >= MIN_DRAWS
        and excludes_zero(slope.unadjusted.interval(q))
        and excludes_zero(slope.adjusted.interval(Z_DRAWN))
        and slope.value * slope.adjusted.value > 0
        and compute_p_random(draws) <= 2 * (1 - float(ndtr(q)))
    )


def compute_p_random(draws: DelayDraws) -> float:
    """Return how often the draws would have looked at least as linked by chance.

    Fisher's randomisation test on all draws that could have come out, each by its
    odds; the values stay as they are.  Sources: Fisher (1935); for draws along one
    series Bojinov and Shephard (2019), doi 10.1080/01621459.2018.1527225.  The
    statistic is the sum of delay times the value's distance from the mean of the
    draws with the same odds, in eighths of a step.  Such sums are whole numbers, so
    their distribution is worked out exactly, one draw after another: no random
    numbers, and the same data always give the same page.
    """
    _, stratum = np.unique(draws.odds.round(9), axis=0, return_inverse=True)
    stratum = stratum.reshape(-1)
    sums = np.bincount(stratum, draws.values)
    centered = draws.values - (sums / np.bincount(stratum))[stratum]
    weights = np.rint(_TEST_RESOLUTION * centered).astype(np.int64)
    hours = np.rint(draws.offered_h).astype(np.int64)
    chances, lowest = np.ones(1), 0
    for weight, odds in zip(weights.tolist(), draws.odds, strict=True):
        steps = hours * weight
        first, last = int(steps.min()), int(steps.max())
        longer = np.zeros(len(chances) + last - first)
        for step, share in zip((steps - first).tolist(), odds.tolist(), strict=True):
            longer[step : step + len(chances)] += share * chances
        chances, lowest = longer, lowest + first
    mean = float(draws.expected_h @ weights)
    observed = abs(float(np.rint(draws.delays_h) @ weights) - mean)
    distances = np.abs(lowest + np.arange(len(chances)) - mean)
    is_as_far = distances >= observed - _SAME_SUM * max(observed, 1.0)
    return min(float(chances[is_as_far].sum()), 1.0)


def compare_delays(draws: DelayDraws) -> dict[int, DelayContrast]:
    """Compare the mean after each delay with that after the first, by hours.

    The first is the shortest delay with 8 values or more; others with fewer, among
    the draws that offered both, are left out.  Means weigh each value by the inverse
    of its odds: Hájek (1971).  The first stands against itself with a difference of 0.
    """
    counts = _count_by_delay(draws)
    enough = np.flatnonzero(counts >= MIN_PER_DELAY)
    if not len(enough):
        return {}
    first = int(enough[0])
    contrasts = {}
    for index in enough.tolist():
        is_both_offered = (draws.odds[:, first] > 0) & (draws.odds[:, index] > 0)
        offered_both = draws.select(is_both_offered)
        counts = _count_by_delay(offered_both)
        if min(counts[first], counts[index]) < MIN_PER_DELAY:
            continue
        mean, error = _weigh(offered_both, index)
        first_mean, first_error = _weigh(offered_both, first)
        df = counts[first] + counts[index] - 2
        contrasts[int(draws.offered_h[index])] = DelayContrast(
            n=int(counts[index]),
            n_first=int(counts[first]),
            mean=mean,
            difference=mean - first_mean,
            i95=(0.0, 0.0)
            if index == first
            else compute_t_interval(
                mean - first_mean, float(np.hypot(error, first_error)), df, Z_DRAWN
            ),
        )
    return contrasts


def _count_by_delay(draws: DelayDraws) -> Ints:
    counts = (draws.delays_h[:, None] == draws.offered_h).sum(axis=0)
    return np.asarray(counts, dtype=np.int64)


def _weigh(draws: DelayDraws, index: int) -> tuple[float, float]:
    """Return Hájek's mean of the values after one delay, and its standard error."""
    rows = draws.delays_h == draws.offered_h[index]
    values, weights = draws.values[rows], 1 / draws.odds[rows, index]
    shares = weights / weights.sum()
    mean = float(shares @ values)
    # By the leverage of each value, as HC3 does.
    errors = (values - mean) / (1 - shares)
    return mean, float(np.sqrt(shares**2 @ errors**2))


def _fit_slope(draws: DelayDraws, controls: Floats) -> FittedSlope:
    """Fit the values on the delay and on `controls`, shape (n, c), columns of 1 first.

    Columns that say nothing new cost no degree of freedom.
    """
    nothing = FittedSlope(float("nan"), float("nan"), 0.0)
    basis = _build_basis(controls)
    rest = draws.delays_h - basis @ (basis.T @ draws.delays_h)
    spread = float(rest @ rest)
    df = len(rest) - basis.shape[1] - 1
    if df <= 0 or spread <= _NO_SPREAD * len(rest):
        return nothing
    values = draws.values - basis @ (basis.T @ draws.values)
    slope = float(rest @ values) / spread
    leverages = (basis**2).sum(axis=1) + rest**2 / spread
    free = np.maximum(1 - leverages, _NO_SPREAD)
    errors = (values - slope * rest) / free
    return FittedSlope(slope, float(np.sqrt(rest**2 @ errors**2)) / spread, float(df))


def _build_basis(columns: Floats) -> Floats:
    """Return orthonormal columns, shape (n, rank), that span the same."""
    scale = np.linalg.norm(columns, axis=0)
    left, singular, _ = np.linalg.svd(
        columns / np.where(scale > 0, scale, 1.0), full_matrices=False
    )
    return np.asarray(left[:, singular > _NO_SPREAD * singular.max()])
