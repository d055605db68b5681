"""Number series: refuse what cannot be counted, put in order, rank."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sync.errors import MoodmilesError

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Interval: TypeAlias = tuple[float, float]

UNBOUNDED: Interval = (float("-inf"), float("inf"))


class InvalidSeries(MoodmilesError, ValueError):
    """The numbers handed in are not a series that can be counted."""


def validate_column(values: npt.ArrayLike, name: str) -> Floats:
    """One column of finite numbers, shape (n,); anything else is refused.

    A missing answer must be left out by the caller, pair by pair: it is never
    a zero and never a silent NaN.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InvalidSeries(f"{name} must be one column of numbers.")
    if not np.isfinite(array).all():
        raise InvalidSeries(f"{name} holds a number that is missing or infinite.")
    return array


def validate_columns(**values_by_name: npt.ArrayLike) -> tuple[Floats, ...]:
    """Several columns of one length n, in the order they were named."""
    valid_columns = [
        validate_column(values, name) for name, values in values_by_name.items()
    ]
    if len({len(values) for values in valid_columns}) > 1:
        raise InvalidSeries(f"{', '.join(values_by_name)} must be equally long.")
    return tuple(valid_columns)


def sort_by_time(days: Floats, *series: Floats) -> tuple[Floats, ...]:
    """`days` and the others, shape (n,) each, oldest first.

    Equal times are put in the order of the other columns, so the same set of
    rows gives the same figures in whatever order the rows came.
    """
    if (days[1:] > days[:-1]).all():
        return (days, *series)
    order = np.lexsort((*reversed(series), days))
    return tuple(values[order] for values in (days, *series))


def compute_average_ranks(values: Floats) -> Floats:
    """Ranks 1…n, shape (n,); equal values share the mean of their ranks.

    The same as `scipy.stats.rankdata`, which would cost a web process a second
    and 70 MB to import; a test holds the two together.
    """
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return np.asarray((last - (size - 1) / 2)[group], dtype=np.float64)


def compute_correlation(first: Floats, second: Floats) -> float:
    """Pearson's correlation, -1…1; nan when either side does not vary."""
    first, second = first - first.mean(), second - second.mean()
    scale = np.sqrt((first @ first) * (second @ second))
    if not scale > 0:
        return float("nan")
    return float(np.clip(first @ second / scale, -1, 1))
