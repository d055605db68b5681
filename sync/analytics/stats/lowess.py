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

from sync.analytics.stats.series import Floats, Ints, NotCountable, columns

_NO_WEIGHT = 1e-12
_NO_SPREAD = 1e-12
_OUTLIER = 6.0  # residuals of so many times the median one count for nothing
_NUMBERS_AT_ONCE = 28_000  # what the processor still holds is added up faster


@dataclass(frozen=True, slots=True)
class _Neighborhoods:
    """The k nearest points to each of g points at which a line is fitted.

    `first`, shape (g,), is the row of the first neighbor among the sorted points.
    Of every neighbor, shape (g, k), `away` is how far along x it lies, `nearness` its
    tricube weight and `height` its y; `own_height`, shape (g,), is the point's own y.
    """

    first: Ints
    away: Floats
    nearness: Floats
    height: Floats
    own_height: Floats


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
    x). Raises `NotCountable` for numbers that are missing or infinite, for columns
    of different length, and for options out of their range.

    Memory grows with the lines times the points of each: with thousands of different
    x, give a `delta`, for example a fortieth of their range.
    """
    across, up = columns(x=x, y=y)
    if not (0 <= frac <= 1 and it >= 0 and delta >= 0):
        raise NotCountable("frac must be between 0 and 1, it and delta 0 or more.")
    if not len(across):
        return up
    order = np.argsort(across, kind="stable")
    fitted = np.empty_like(up)
    fitted[order] = _robust_line(across[order], up[order], frac, it, delta)
    return fitted


def neighbor_count(n: int, frac: float) -> int:
    """Return how many of n points each local line is fitted to."""
    # A product that is whole but for rounding counts as whole.
    return min(max(int(frac * n + 1e-10), 2), n)


def _robust_line(x: Floats, y: Floats, frac: float, it: int, delta: float) -> Floats:
    """Fit the sorted points, then again without those far from the fit, `it` times."""
    k = neighbor_count(len(x), frac)
    fit_at = _fit_points(x, delta)
    pieces = np.array_split(fit_at, 1 + len(fit_at) * k // _NUMBERS_AT_ONCE)
    neighborhoods = [_neighborhoods(x, y, piece, k) for piece in pieces]
    weights, fitted = np.ones_like(y), y
    for _ in range(1 + it):
        lines = [_local_lines(near, weights) for near in neighborhoods]
        fitted = np.interp(x, x[fit_at], np.concatenate(lines))
        weights = _robustness_weights(y - fitted)
    return fitted


def _fit_points(x: Floats, delta: float) -> Ints:
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


def _neighborhoods(x: Floats, y: Floats, at: Ints, k: int) -> _Neighborhoods:
    n = len(x)
    # The k nearest are neighbors in order: find where each run of them begins.
    first = np.searchsorted((x[: n - k] + x[k:]) / 2, x[at])
    radius = np.maximum(x[at] - x[first], x[first + k - 1] - x[at])
    away = sliding_window_view(x, k)[first]
    away -= x[at, None]
    # Where all have the same x, no neighbor weighs anything.
    share = np.abs(away)
    share *= np.divide(1, radius, out=np.zeros_like(radius), where=radius > 0)[:, None]
    nearness = _tricube(share)
    nearness *= (radius > 0)[:, None]
    height = sliding_window_view(y, k)[first]
    return _Neighborhoods(first, away, nearness, height, y[at])


def _tricube(share: Floats) -> Floats:
    cube = share * share
    cube *= share
    np.subtract(1, cube, out=cube)
    np.multiply(cube, cube, out=share)
    share *= cube
    return share


def _local_lines(near: _Neighborhoods, robustness: Floats) -> Floats:
    """Return the value of each weighted least-squares line, shape (g,)."""
    k = near.away.shape[1]
    weight = sliding_window_view(robustness, k)[near.first]
    weight *= near.nearness
    total = weight.sum(axis=1)
    is_line = total > 1 + k * _NO_WEIGHT
    # No weight is above 1: only so small a total may be that of a single neighbor.
    for row in np.flatnonzero(~is_line):
        is_line[row] = np.count_nonzero(weight[row] > _NO_WEIGHT) > 1
    total = np.where(is_line, total, 1)
    center = np.vecdot(weight, near.away) / total
    level = np.vecdot(weight, near.height) / total
    from_center = near.away - center[:, None]
    weight *= from_center
    spread = np.vecdot(weight, from_center) / total
    # What rounding leaves of the weighted distances' sum, which is 0, is taken out.
    rise = (np.vecdot(weight, near.height) - level * weight.sum(axis=1)) / total
    line = level - center * rise / np.maximum(spread, _NO_SPREAD)
    return np.where(is_line, line, near.own_height)


def _robustness_weights(residuals: Floats) -> Floats:
    apart = np.abs(residuals)
    median = np.median(apart)
    if median > 0:
        share = np.minimum(apart / (_OUTLIER * median), 1)
    else:
        share = (apart > 0).astype(np.float64)
    return np.asarray((1 - share * share) ** 2)
