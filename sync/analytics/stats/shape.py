"""The best-range test: mood by ranges of mileage against circular shifts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.analytics.stats.groups import estimate_difference
from sync.analytics.stats.series import (
    Floats,
    Ints,
    build_clock_columns,
    build_level,
    sort_by_time,
    validate_columns,
)

RANGE_STEPS = (5, 10, 15, 20, 25, 30, 40, 50)
MAX_BINS = 5.6
DRIFT_DAYS = 45
GOOD_MOOD = 1
_TIE_FACTOR = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class MileageShape:
    """Mood by ranges of mileage, with the test of the best range.

    n            answers
    edges        lower ends of the k ranges, the last one open, shape (k,)
    count        answers in each range, shape (k,)
    mean         mean mood in each range, shape (k,); nan in an empty one
    best         index of the range with the highest mean
    p            share of circular shifts with at least as much difference
    good_in      share of Good or Great answers in the best range
    good_out     the same in all others
    is_distinct  whether the best range differs from the others by the group rule
    """

    n: int
    edges: Floats
    count: Ints
    mean: Floats
    best: int
    p: float
    good_in: float
    good_out: float
    is_distinct: bool

    @property
    def best_range(self) -> tuple[float, float | None]:
        """Return both ends of the best range; None where it is open upwards."""
        is_open = self.best == len(self.edges) - 1
        return float(self.edges[self.best]), (
            None if is_open else float(self.edges[self.best + 1])
        )


def fit_shape(
    mileage: npt.ArrayLike,
    mood: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    hours: npt.ArrayLike | None = None,
) -> MileageShape | None:
    """Compare `mood`, shape (n,), between round ranges of `mileage`, shape (n,).

    `mileage` is in the runner's own unit, because the ranges are round in it;
    `days` and `hours` are those of `link`.  Returns None for fewer than two ranges.
    Weekday, time of day and slow drift are removed from mood and from the ranges, so
    neither long Sundays nor a good summer of much running are a finding.  Then the
    difference between the ranges is compared with those of all circular shifts of the
    same answers, forwards and backwards, which keep the rhythm of both series.  It
    uses no random numbers.  Raises `InvalidSeries`.  Source: docs/decisions/0007 and
    0032.
    """
    times, xs, ys, clock = sort_by_time(
        *validate_columns(
            days=days,
            mileage=mileage,
            mood=mood,
            hours=days if hours is None else hours,
        )
    )
    given_hours = None if hours is None else clock
    min_count = max(3, int(0.05 * len(times)))
    edges = choose_round_ranges(xs, min_count)
    range_index = np.searchsorted(edges, xs, side="right") - 1
    count = np.bincount(range_index, minlength=len(edges))
    is_large_enough = count >= min_count
    if np.count_nonzero(is_large_enough) < 2 or not np.ptp(ys) > 0:
        return None
    membership = (range_index[:, None] == np.flatnonzero(is_large_enough)).astype(
        np.float64
    )
    week = build_level(len(times)).extend(build_clock_columns(times, given_hours))
    detrended_mood, *detrended = (
        remove_drift(column, times) for column in week.remove(ys, *membership.T)
    )
    mean = np.bincount(range_index, weights=ys, minlength=len(edges)) / np.maximum(
        count, 1
    )
    best = int(np.argmax(np.where(is_large_enough, mean, -np.inf)))
    is_good, in_best = ys >= GOOD_MOOD, range_index == best
    return MileageShape(
        n=len(times),
        edges=edges,
        count=count.astype(np.int64),
        mean=np.where(count > 0, mean, np.nan),
        best=best,
        p=_compute_shift_p(
            np.column_stack(detrended) / np.sqrt(count[is_large_enough]),
            detrended_mood,
        ),
        good_in=float(is_good[in_best].mean()),
        good_out=float(is_good[~in_best].mean()),
        is_distinct=estimate_difference(ys, in_best, times, hours=given_hours).is_claim,
    )


def choose_round_ranges(mileage: Floats, min_count: int) -> Floats:
    """Choose the lower ends of at most six round ranges, shape (k,), the first 0.

    Ranges at either end with fewer than `min_count` values join their neighbor.
    """
    max_mileage = float(np.percentile(mileage, 97)) if len(mileage) else 0.0
    step = next(
        (step for step in RANGE_STEPS if max_mileage / step <= MAX_BINS),
        RANGE_STEPS[-1],
    )
    edges = [float(step * i) for i in range(int(max_mileage // step) + 1)]
    while len(edges) > 2 and np.count_nonzero(mileage >= edges[-1]) < min_count:
        edges.pop()
    while len(edges) > 2 and np.count_nonzero(mileage < edges[1]) < min_count:
        edges.pop(1)
    return np.array(edges)


def remove_drift(values: Floats, days: Floats) -> Floats:
    """Subtract each value's weighted neighborhood: a Gaussian of 45 days, shape (n,).

    It works on a grid of whole days, so that ten years cost a millisecond.
    """
    day_index = np.floor(days - days.min()).astype(np.int64)
    half_width = 4 * DRIFT_DAYS
    offsets = np.arange(-half_width, half_width + 1) / DRIFT_DAYS
    kernel = np.exp(-0.5 * offsets**2)
    span = int(day_index.max()) + 1
    total = np.convolve(np.bincount(day_index, values, span), kernel)[
        half_width:-half_width
    ]
    weight = np.convolve(np.bincount(day_index, minlength=span), kernel)[
        half_width:-half_width
    ]
    return np.asarray(values - (total / np.maximum(weight, 1e-300))[day_index])


def _compute_shift_p(membership: Floats, values: Floats) -> float:
    """Return the share of circular shifts that separate the ranges at least as well."""
    n = len(values)
    min_shift = max(2, n // 20)
    centered = values - values.mean()
    forwards = _compute_shift_spreads(membership, centered)
    backwards = _compute_shift_spreads(membership, centered[::-1])
    observed = forwards[0]
    shifted = np.concatenate((forwards[min_shift : n - min_shift + 1], backwards))
    return float(1 + np.count_nonzero(shifted >= observed * _TIE_FACTOR)) / (
        1 + len(shifted)
    )


def _compute_shift_spreads(membership: Floats, values: Floats) -> Floats:
    """Measure the spread between ranges for all n circular shifts, shape (n,)."""
    spectrum = np.fft.rfft(membership, axis=0) * np.conj(np.fft.rfft(values))[:, None]
    sums = np.fft.irfft(spectrum, len(values), axis=0)
    return np.asarray((sums**2).sum(axis=1), dtype=np.float64)
