"""Number series: validation, order, ranks, persistence and the calendar.

All that `rank_link`, `groups` and `shape` share.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sync.errors import MoodmilesError

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Interval: TypeAlias = tuple[float, float]

UNBOUNDED: Interval = (float("-inf"), float("inf"))
# Standard errors: a 95 % interval to draw, 99 % for words about a question that
# was fixed in advance, 99.7 % for the exploring panels; 98 % after the calendar,
# which has to show that the calendar is not all there is: docs/decisions/0032.
Z_DRAWN = 1.959964
Z_AFTER_CALENDAR = 2.326348
Z_CLAIM = 2.575829
Z_EXPLORATORY = 3.0
MAX_PERSISTENCE = 0.95
_N_EFF_FLOOR = 4.0
YEAR_DAYS = 365.25
HALF_YEAR_DAYS = 182
MIN_FOR_CLOCK = 60
MIN_FOR_HARMONICS = 120
MIN_MIDDLE_HOURS = 3.0
_WEEK_DAYS, _SATURDAY = 7, 5
_DAY_HOURS = 24.0
_ZERO_RESIDUAL = 1e-18
_DEPENDENT = 1e-6  # of a column's length; what is left below it is rounding


class InvalidSeries(MoodmilesError, ValueError):
    """The given numbers are no series of finite values, or of unequal length."""


def excludes_zero(interval: Interval) -> bool:
    low, high = interval
    return low > 0 or high < 0


def enclose(intervals: Iterable[Interval]) -> Interval:
    """Return the shortest interval that holds all of them."""
    lows, highs = zip(*intervals, strict=True)
    return (min(lows), max(highs))


@dataclass(frozen=True, slots=True)
class WordLevels:
    """The standard errors that words need, at each stage of what is taken out.

    before    as it is, and after trend and season
    calendar  after weekday and time of day, too
    rhythm    after the rhythm of what the runner does, too
    """

    before: float
    calendar: float
    rhythm: float


def choose_word_levels(q: float, n: int) -> WordLevels:
    """Return what words about n values need that are decided at `q`.

    The exploring panels, of which there are many, need `q` throughout.  For others a
    rhythm is found for certain only from 120 values on, and a few answers cannot spare
    much for one that may not be there.  Source: docs/decisions/0032.
    """
    if q >= Z_EXPLORATORY:
        return WordLevels(q, q, q)
    is_certain_rhythm = n >= MIN_FOR_HARMONICS
    return WordLevels(
        q, Z_AFTER_CALENDAR, Z_AFTER_CALENDAR if is_certain_rhythm else Z_DRAWN
    )


def validate_column(values: npt.ArrayLike, name: str) -> Floats:
    """Return one column of finite numbers, shape (n,).

    Raises `InvalidSeries` for any other shape and for NaN or infinity.  The caller
    leaves missing answers out, pair by pair: they are neither 0 nor NaN here.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InvalidSeries(f"{name} must be one column of numbers.")
    if not np.isfinite(array).all():
        raise InvalidSeries(f"{name} holds a number that is missing or infinite.")
    return array


def validate_columns(**values_by_name: npt.ArrayLike) -> tuple[Floats, ...]:
    """Return several columns, shape (n,) each, in the order of their names.

    Raises `InvalidSeries` like `validate_column`, and for columns of unequal length.
    """
    valid_columns = [
        validate_column(values, name) for name, values in values_by_name.items()
    ]
    if len({len(values) for values in valid_columns}) > 1:
        raise InvalidSeries(f"{', '.join(values_by_name)} must be equally long.")
    return tuple(valid_columns)


def sort_by_time(days: Floats, *series: Floats) -> tuple[Floats, ...]:
    """Return `days` and the other columns, shape (n,) each, oldest first.

    Equal days are ordered by the other columns, so the same set of rows gives the
    same figures in any order.
    """
    if (days[1:] > days[:-1]).all():
        return (days, *series)
    order = np.lexsort((*reversed(series), days))
    return tuple(values[order] for values in (days, *series))


def compute_average_ranks(values: Floats) -> Floats:
    """Return ranks 1…n, shape (n,); equal values share the mean of their ranks.

    It equals `scipy.stats.rankdata`, which costs a web process a second and 70 MB to
    import; a test compares the two.
    """
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return np.asarray((last - (size - 1) / 2)[group], dtype=np.float64)


def compute_correlation(first: Floats, second: Floats) -> float:
    """Return Pearson's correlation, -1…1; nan when either side does not vary."""
    n = len(first)
    first, second = first - first.sum() / n, second - second.sum() / n
    scale = sqrt((first @ first) * (second @ second))
    if not scale > 0:
        return float("nan")
    return min(max(float(first @ second) / scale, -1.0), 1.0)


def compute_lag_one(values: Floats) -> float:
    """Correlate a series, shape (n,) oldest first, with its own next value.

    Returns 0.0 for a series that does not vary.
    """
    centred = values - values.sum() / len(values)
    total = float(centred @ centred)
    return float(centred[:-1] @ centred[1:]) / total if total > 0 else 0.0


def estimate_persistence(values: Floats) -> float:
    """Correct the lag-one correlation for its bias in short series, within ±.95.

    The corrected value is (n·r + 1)/(n - 3), because a short series looks less
    persistent than it is.  Source: docs/figures.md, "The rule".
    """
    n = len(values)
    if n < 4:
        return 0.0
    corrected = (n * compute_lag_one(values) + 1) / (n - 3)
    return min(max(corrected, -MAX_PERSISTENCE), MAX_PERSISTENCE)


def estimate_pair_n_eff(first: Floats, second: Floats) -> float:
    """Estimate how many independent pairs two series, shape (n,), are worth; 4…n.

    Two slow series agree or disagree for weeks by chance, so each further pair adds
    little.  Source: Bartlett's (1935) formula with the product of the two
    persistences; a negative product counts as 0.
    """
    return _shrink_n(
        len(first), estimate_persistence(first) * estimate_persistence(second)
    )


def estimate_mean_n_eff(values: Floats) -> float:
    """Estimate how many independent values a series, shape (n,), is worth; 4…n."""
    return _shrink_n(len(values), estimate_persistence(values))


def _shrink_n(n: int, autocorrelation: float) -> float:
    if n < _N_EFF_FLOOR:
        return float(n)
    share = max(autocorrelation, 0.0)
    return float(max(n * (1 - share) / (1 + share), _N_EFF_FLOOR))


@dataclass(frozen=True, slots=True)
class Calendar:
    """What time alone could explain of n values: the level, and `df` columns.

    `basis`, shape (n, 1 + df), holds them as orthonormal columns.
    """

    basis: Floats

    @property
    def df(self) -> int:
        """Return the degrees of freedom that it costs: its columns but the level."""
        return int(self.basis.shape[1]) - 1

    def remove(self, *series: Floats) -> list[Floats]:
        """Subtract from each series, shape (n,), its least-squares fit.

        A series that the calendar explains completely becomes exact zeros: rounding
        errors are no series.
        """
        values = np.column_stack(series)
        explained = self.basis.T @ values
        residuals = values - self.basis @ explained
        # The first column of the basis is the level.
        total = (values**2).sum(axis=0) - explained[0] ** 2
        left = (residuals**2).sum(axis=0)
        is_explained = left <= _ZERO_RESIDUAL * np.maximum(total, 1.0) * len(values)
        residuals[:, is_explained] = 0.0
        return list(residuals.T.copy())

    def extend(self, columns: Iterable[Floats]) -> "Calendar":
        """Return the calendar with the columns, shape (n,), that add something to it.

        Left out is a column that does not vary, and one that the level and the columns
        before it add up to: a runner who never answers on Mondays has six weekdays.
        """
        centered = [column - column.sum() / len(column) for column in columns]
        new = [
            column / norm
            for column in centered
            if (norm := sqrt(column @ column)) > _DEPENDENT
        ]
        while new:
            matrix = np.column_stack(new)
            for _ in range(2):  # what is nearly explained keeps its direction
                matrix -= self.basis @ (self.basis.T @ matrix)
            directions, triangle = np.linalg.qr(matrix)
            is_new = np.abs(np.diagonal(triangle)) > _DEPENDENT
            if is_new.all():
                return Calendar(np.column_stack([self.basis, directions]))
            # What follows a dependent column was freed of a direction of its rounding.
            del new[int(np.argmin(is_new))]
        return self


@dataclass(frozen=True, slots=True)
class Calendars:
    """Trend and season alone, and `full` with weekday and time of day, too."""

    season: Calendar
    full: Calendar


def build_calendars(days: Floats, hours: Floats | None = None) -> Calendars:
    """Build what a question takes out: trend, season, weekday and time of day.

    The whole part of `days`, shape (n,), is a local day, and day 0 a Monday.  `hours`,
    shape (n,), are local hours of the day; without them no time of day is taken out.
    Source: docs/decisions/0032.
    """
    years = (days - days.min()) / YEAR_DAYS
    columns = [years]
    if np.ptp(days) >= HALF_YEAR_DAYS:
        columns += [np.sin(2 * np.pi * years), np.cos(2 * np.pi * years)]
    season = build_level(len(days)).extend(columns)
    return Calendars(season, season.extend(build_clock_columns(days, hours)))


def build_level(n: int) -> Calendar:
    """Return the calendar that takes out nothing but the mean of n values."""
    return Calendar(np.full((n, 1), n**-0.5))


def build_clock_columns(days: Floats, hours: Floats | None) -> list[Floats]:
    """Return the columns of weekday and time of day, shape (n,) each.

    From 60 values on they are one for each weekday but the first, and one wave of 24
    hours if the hours differ enough; below there is one for the weekend.
    """
    weekday = np.floor(days) % _WEEK_DAYS
    if len(days) < MIN_FOR_CLOCK:
        return [(weekday >= _SATURDAY).astype(np.float64)]
    columns = [(weekday == day).astype(np.float64) for day in range(1, _WEEK_DAYS)]
    if hours is not None and measure_middle_hours(hours) >= MIN_MIDDLE_HOURS:
        angle = hours * (2 * np.pi / _DAY_HOURS)
        columns += [np.sin(angle), np.cos(angle)]
    return columns


def measure_middle_hours(hours: Floats) -> float:
    """Return how many hours of the day the middle half of `hours`, shape (n,), spans.

    The day is cut where the longest time without a value lies, so that 23 and 1
    o'clock are two hours apart.
    """
    ordered = np.sort(hours % _DAY_HOURS)
    gaps = np.diff(ordered, append=ordered[:1] + _DAY_HOURS)
    first = int(np.argmax(gaps)) + 1
    unwrapped = np.concatenate((ordered[first:], ordered[:first] + _DAY_HOURS))
    low, high = np.percentile(unwrapped, (25, 75))
    return float(high - low)
