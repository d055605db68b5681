"""Cleveland's robust local line (LOWESS) through a cloud of points, in numpy.

W. S. Cleveland, "Robust Locally Weighted Regression and Smoothing Scatterplots",
Journal of the American Statistical Association 74 (1979), 829–836, and "LOWESS: A
Program for Smoothing Scatterplots by Robust Locally Weighted Regression", The
American Statistician 35 (1981), 54, from which `delta` comes.

The same as statsmodels' `lowess`, limits and ties included: a test holds the two
together. statsmodels and what it needs would be a third of the installed product.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from sync.analytics.stats.series import Floats, Ints, InvalidSeries, validate_columns

_NO_WEIGHT = 1e-12
_NO_SPREAD = 1e-12
_OUTLIER_MEDIANS = 6.0  # residuals of so many times the median one count for nothing
_CHUNK_SIZE = 28_000  # what the processor still holds is added up faster


@dataclass(frozen=True, slots=True)
class _Neighborhoods:
    """The k nearest points to each of g points at which a line is fitted.

    `first`, shape (g,), is the row of the first neighbor among the sorted points.
    Of every neighbor, shape (g, k), `offset` is its distance along x,
    `tricube_weight` its weight and `neighbor_y` its y; `own_y`, shape (g,), is the
    point's own y.
    """

    first: Ints
    offset: Floats
    tricube_weight: Floats
    neighbor_y: Floats
    own_y: Floats


def lowess(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    frac: float = 2 / 3,
    it: int = 3,
    delta: float = 0.0,
) -> Floats:
    """Return the local line's value at each x, in the unit of y; shape (n,).

    x and y, shape (n,), need no order. `frac`, 0…1, is the share of the points that
    each local line is fitted to, 2 at least. `it` counts the passes after the first
    that take weight from outliers. Points within `delta`, in the unit of x, of the
    last fitted one get no line of their own, but a value between two that have one.

    Where fewer than two neighbors carry weight, for example because all have the
    same x, there is no line, and the value is the point's own y (the first of equal
    x). Raises `InvalidSeries` for numbers that are missing or infinite, for columns
    of different length, and for options out of their range.

    Memory grows with the lines times the points of each: with thousands of different
    x, give a `delta`, for example a fortieth of their range.
    """
    xs, ys = validate_columns(x=x, y=y)
    if not (0 <= frac <= 1 and it >= 0 and delta >= 0):
        raise InvalidSeries("frac must be between 0 and 1, it and delta 0 or more.")
    if not len(xs):
        return ys
    order = np.argsort(xs, kind="stable")
    fitted = np.empty_like(ys)
    fitted[order] = _fit_robust_line(xs[order], ys[order], frac, it, delta)
    return fitted


def count_neighbors(n: int, frac: float) -> int:
    """Return how many of n points each local line is fitted to."""
    # A product that is whole but for rounding counts as whole.
    return min(max(int(frac * n + 1e-10), 2), n)


def _fit_robust_line(
    x: Floats, y: Floats, frac: float, it: int, delta: float
) -> Floats:
    """Fit the sorted points, then again without those far from the fit, `it` times."""
    k = count_neighbors(len(x), frac)
    fit_at = _choose_fit_points(x, delta)
    chunks = np.array_split(fit_at, 1 + len(fit_at) * k // _CHUNK_SIZE)
    neighborhoods = [_find_neighborhoods(x, y, chunk, k) for chunk in chunks]
    weights, fitted = np.ones_like(y), y
    for _ in range(1 + it):
        lines = [
            _fit_local_lines(neighborhood, weights) for neighborhood in neighborhoods
        ]
        fitted = np.interp(x, x[fit_at], np.concatenate(lines))
        weights = _compute_robustness_weights(y - fitted)
    return fitted


def _choose_fit_points(x: Floats, delta: float) -> Ints:
    """Choose the rows of sorted `x` that get a line: each x once, `delta` apart.

    After each comes the last one within `delta` of it, or the next one if there is
    none. Where `delta` reaches the end, the last row but one comes before the last.
    """
    last = len(x) - 1
    after_equal = np.searchsorted(x, x, side="right")
    beyond = np.searchsorted(x, x + delta, side="right")
    following = np.maximum(np.minimum(beyond, last) - 1, after_equal).tolist()
    rows, row = [0], following[0]
    while row <= last:
        rows.append(row)
        row = following[row]
    return np.array(rows, dtype=np.int64)


def _find_neighborhoods(x: Floats, y: Floats, at: Ints, k: int) -> _Neighborhoods:
    n = len(x)
    # The k nearest are neighbors in order: find where each run of them begins.
    first = np.searchsorted((x[: n - k] + x[k:]) / 2, x[at])
    radius = np.maximum(x[at] - x[first], x[first + k - 1] - x[at])
    offset = sliding_window_view(x, k)[first]
    offset -= x[at, None]
    # Where all have the same x, no neighbor weighs anything.
    share = np.abs(offset)
    share *= np.divide(1, radius, out=np.zeros_like(radius), where=radius > 0)[:, None]
    tricube_weight = apply_tricube(share)
    tricube_weight *= (radius > 0)[:, None]
    neighbor_y = sliding_window_view(y, k)[first]
    return _Neighborhoods(first, offset, tricube_weight, neighbor_y, y[at])


def apply_tricube(share: Floats) -> Floats:
    """Turn distances, as shares 0…1 of the radius, into tricube weights in place."""
    cube = share * share
    cube *= share
    np.subtract(1, cube, out=cube)
    np.multiply(cube, cube, out=share)
    share *= cube
    return share


def _fit_local_lines(neighborhoods: _Neighborhoods, robustness: Floats) -> Floats:
    """Return the value of each weighted least-squares line, shape (g,)."""
    k = neighborhoods.offset.shape[1]
    weight = sliding_window_view(robustness, k)[neighborhoods.first]
    weight *= neighborhoods.tricube_weight
    total = weight.sum(axis=1)
    is_line = total > 1 + k * _NO_WEIGHT
    # No weight is above 1: only so small a total may be that of a single neighbor.
    for row in np.flatnonzero(~is_line):
        is_line[row] = np.count_nonzero(weight[row] > _NO_WEIGHT) > 1
    total = np.where(is_line, total, 1)
    center = np.vecdot(weight, neighborhoods.offset) / total
    level = np.vecdot(weight, neighborhoods.neighbor_y) / total
    from_center = neighborhoods.offset - center[:, None]
    weight *= from_center
    spread = np.vecdot(weight, from_center) / total
    # What rounding leaves of the weighted distances' sum, which is 0, is taken out.
    rise = (
        np.vecdot(weight, neighborhoods.neighbor_y) - level * weight.sum(axis=1)
    ) / total
    line = level - center * rise / np.maximum(spread, _NO_SPREAD)
    return np.where(is_line, line, neighborhoods.own_y)


def _compute_robustness_weights(residuals: Floats) -> Floats:
    deviations = np.abs(residuals)
    median = np.median(deviations)
    if median > 0:
        share = np.minimum(deviations / (_OUTLIER_MEDIANS * median), 1)
    else:
        share = (deviations > 0).astype(np.float64)
    return np.asarray((1 - share * share) ** 2)
