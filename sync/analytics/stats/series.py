"""Number series: validation, order, ranks, persistence and season.

All that `rank_link` and `groups` share.
"""

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
# was fixed in advance, 99.7 % for the exploring panels.
Z_DRAWN = 1.959964
Z_CLAIM = 2.575829
Z_EXPLORATORY = 3.0
MAX_PERSISTENCE = 0.95
_N_EFF_FLOOR = 4.0
YEAR_DAYS = 365.25
HALF_YEAR_DAYS = 182
_ZERO_RESIDUAL = 1e-18


class InvalidSeries(MoodmilesError, ValueError):
    """The given numbers are no series of finite values, or of unequal length."""


def excludes_zero(interval: Interval) -> bool:
    low, high = interval
    return low > 0 or high < 0


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
    first, second = first - first.mean(), second - second.mean()
    scale = np.sqrt((first @ first) * (second @ second))
    if not scale > 0:
        return float("nan")
    return float(np.clip(first @ second / scale, -1, 1))


def compute_lag_one(values: Floats) -> float:
    """Correlate a series, shape (n,) oldest first, with its own next value.

    Returns 0.0 for a series that does not vary.
    """
    centred = values - values.mean()
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
    return float(
        np.clip(
            (n * compute_lag_one(values) + 1) / (n - 3),
            -MAX_PERSISTENCE,
            MAX_PERSISTENCE,
        )
    )


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


def build_seasonal_columns(days: Floats) -> Floats:
    """Build the columns of trend and season: shape (n, 2), from half a year (n, 4).

    The columns are 1, time in years and, when `days` span at least 182 days, one
    wave a year as sine and cosine.
    """
    years = (days - days.min()) / YEAR_DAYS
    parts = [np.ones_like(years), years]
    if np.ptp(days) >= HALF_YEAR_DAYS:
        parts += [np.sin(2 * np.pi * years), np.cos(2 * np.pi * years)]
    return np.column_stack(parts)


def remove_season(calendar: Floats, *series: Floats) -> list[Floats]:
    """Subtract from each series, shape (n,), its least-squares fit on `calendar`.

    A series that the calendar explains completely becomes exact zeros: rounding
    errors are no series.
    """
    values = np.column_stack(series)
    fitted = calendar @ np.linalg.lstsq(calendar, values, rcond=None)[0]
    residuals = []
    for index, column in enumerate(series):
        rest, centered = column - fitted[:, index], column - column.mean()
        spread = max(float(centered @ centered), 1.0)
        is_explained = rest @ rest <= _ZERO_RESIDUAL * spread * len(column)
        residuals.append(np.zeros_like(column) if is_explained else rest)
    return residuals
