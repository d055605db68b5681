"""Curves through a cloud of answers: a robust line, its band, a median slope.

The line is Cleveland's LOWESS: W. S. Cleveland, "Robust Locally Weighted Regression
and Smoothing Scatterplots", Journal of the American Statistical Association 74 (1979),
829-836, and "LOWESS: A Program for Smoothing Scatterplots by Robust Locally Weighted
Regression", The American Statistician 35 (1981), 54, from which `delta` comes.

It equals statsmodels' `lowess`, limits and ties included: a test compares the two.
statsmodels and its dependencies would be a third of the installed product.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from sync.analytics.stats.series import Floats, Ints, InvalidSeries, validate_columns

FRACTION = 2 / 3
ROBUST_PASSES = 3
MIN_FOR_LINE = 30
MIN_FOR_BAND = 60
BAND_Z = 1.6448536269514722  # 90 %
GRID_POINTS = 41
_MAX_EXACT_POINTS = 100
_MAX_SLOPE_POINTS = 600
_CHUNK_SIZE = 50_000
_NO_WEIGHT = 1e-12
_NO_SPREAD = 1e-12
_OUTLIER_MEDIANS = 6.0  # residuals above so many medians get no weight
_LINES_CHUNK_SIZE = 28_000  # what fits into the processor's cache adds up faster


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through n points: x and y, shape (g,), and a 90 % band or None."""

    x: Floats
    y: Floats
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True, slots=True)
class Slope:
    """Theil and Sen's slope of y per unit of x, with its 95 % interval."""

    slope: float
    intercept: float
    low: float
    high: float


def fit_robust_line(x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Return Cleveland's robust local line through (x, y), at each x; shape (n,).

    Each fit uses two thirds of the points, in three robust passes.  Above 100
    points, neighbors closer than a fortieth of the range share one fit, which moves
    the line by a twentieth of a step of mood at most.  Raises `InvalidSeries`.
    Source: Cleveland (1979), see `lowess`.
    """
    xs, ys = validate_columns(x=x, y=y)
    delta = choose_fit_spacing(xs)
    return lowess(xs, ys, frac=FRACTION, it=ROBUST_PASSES, delta=delta)


def choose_fit_spacing(x: Floats) -> float:
    """Return the distance along x between points with a fit of their own."""
    if len(x) <= _MAX_EXACT_POINTS:
        return 0.0
    return float(np.ptp(x)) / (GRID_POINTS - 1)


def fit_curve(x: npt.ArrayLike, y: npt.ArrayLike, weeks: Ints) -> Curve | None:
    """Fit the typical y along x, shape (n,) each, on a grid of 41 points.

    Returns None under 30 points, and where two thirds of all x are equal: no line
    fits those.  The band (from 60 points) has standard errors clustered by `weeks`,
    shape (n,): answers of one week are not independent.  Raises `InvalidSeries`.
    """
    xs, ys = validate_columns(x=x, y=y)
    order = np.argsort(xs, kind="stable")
    if len(xs) < MIN_FOR_LINE:
        return None
    sorted_x, n_neighbors = xs[order], count_neighbors(len(xs), FRACTION)
    n_neighborhoods = len(xs) - n_neighbors + 1
    if (sorted_x[n_neighbors - 1 :] == sorted_x[:n_neighborhoods]).any():
        return None  # all neighbors of some point have the same x
    fitted = fit_robust_line(xs, ys)
    grid = np.linspace(xs.min(), xs.max(), GRID_POINTS)
    line = np.interp(grid, sorted_x, fitted[order])
    if len(xs) < MIN_FOR_BAND:
        return Curve(grid, line)
    half_width = BAND_Z * _estimate_standard_errors(xs, ys - fitted, weeks, grid)
    return Curve(grid, line, line - half_width, line + half_width)


def compute_median_slope(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return Theil and Sen's slope of y per unit of x alone, shape (n,) each.

    It needs no scipy.  Returns 0.0 where all x are equal.  Raises `InvalidSeries`.
    """
    xs, ys = _thin_out(*validate_columns(x=x, y=y))
    dx, dy = (values[:, None] - values for values in (xs, ys))
    is_pair = dx > 0
    return float(np.median(dy[is_pair] / dx[is_pair])) if is_pair.any() else 0.0


def fit_theil_sen(x: npt.ArrayLike, y: npt.ArrayLike) -> Slope:
    """Return the median slope of all pairs of points, shape (n,), and its interval.

    Raises `InvalidSeries`.  Source: Theil (1950) and Sen (1968), by scipy.
    """
    # Imported here: it takes a second, and pages need the slope alone.
    from scipy.stats import theilslopes  # noqa: PLC0415

    xs, ys = _thin_out(*validate_columns(x=x, y=y))
    # Where all but everything is tied, rounding may leave it a root of less than 0.
    with np.errstate(invalid="ignore"):
        result = theilslopes(ys, xs)
    return Slope(
        slope=float(result.slope),
        intercept=float(result.intercept),
        low=float(result.low_slope),
        high=float(result.high_slope),
    )


def _thin_out(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Leave at most 600 points, spread evenly over the series.

    All pairs of thousands would take seconds and change nothing visible.
    """
    if len(x) <= _MAX_SLOPE_POINTS:
        return x, y
    rows = np.linspace(0, len(x) - 1, _MAX_SLOPE_POINTS).round().astype(int)
    return x[rows], y[rows]


def _estimate_standard_errors(
    x: Floats, residuals: Floats, weeks: Ints, grid: Floats
) -> Floats:
    """Estimate the local line's standard error at `grid`, shape (g,), by week."""
    order = np.argsort(weeks, kind="stable")
    x, residuals = x[order], residuals[order]
    _, starts = np.unique(weeks[order], return_index=True)
    n_neighbors = min(len(x), max(8, math.ceil(FRACTION * len(x))))
    # The nearest points are adjacent in order: find the first of them.
    sorted_x = np.sort(x)
    midpoints = (sorted_x[: len(x) - n_neighbors] + sorted_x[n_neighbors:]) / 2
    first_neighbor = np.searchsorted(midpoints, grid)
    end_distances = (
        grid - sorted_x[first_neighbor],
        sorted_x[first_neighbor + n_neighbors - 1] - grid,
    )
    bandwidths = np.maximum(*end_distances) * 1.0001 + 1e-9
    error = np.empty_like(grid)
    # A few rows at a time: what fits into the processor's cache adds up twice as fast.
    n_chunks = 1 + len(grid) * len(x) // _CHUNK_SIZE
    for rows in np.array_split(np.arange(len(grid)), n_chunks):
        influence = _local_line_weights(x, grid[rows], bandwidths[rows])
        influence *= residuals
        weekly_sums = np.add.reduceat(influence, starts, axis=1)
        error[rows] = np.sqrt((weekly_sums**2).sum(axis=1))
    return error


def _local_line_weights(x: Floats, grid: Floats, bandwidths: Floats) -> Floats:
    """Return the matrix, shape (g, n), whose product with y is the line at `grid`."""
    weight = x[None, :] - grid[:, None]
    np.abs(weight, out=weight)
    weight /= bandwidths[:, None]
    np.minimum(weight, 1, out=weight)
    _apply_tricube(weight)
    total, x_mean = weight.sum(axis=1), x.mean()
    center = weight @ (x - x_mean) / total
    spread = weight @ (x - x_mean) ** 2 - total * center**2
    steepness = np.divide(
        grid - x_mean - center, spread, out=np.zeros_like(grid), where=spread > 1e-9
    )
    # A line's weights are 1 / total + (x - centre) * steep, here as one sum.
    line = steepness[:, None] * (x - x_mean)[None, :]
    line += (1 / total - center * steepness)[:, None]
    weight *= line
    return weight


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
    xs, ys = xs[order], ys[order]
    k = count_neighbors(len(xs), frac)
    fit_at = _choose_fit_points(xs, delta)
    chunks = np.array_split(fit_at, 1 + len(fit_at) * k // _LINES_CHUNK_SIZE)
    neighborhoods = [_find_neighborhoods(xs, ys, chunk, k) for chunk in chunks]
    weights, line = np.ones_like(ys), ys
    for _ in range(1 + it):
        values = [_fit_local_lines(nearby, weights) for nearby in neighborhoods]
        line = np.interp(xs, xs[fit_at], np.concatenate(values))
        weights = _compute_robustness_weights(ys - line)
    fitted = np.empty_like(line)
    fitted[order] = line
    return fitted


def count_neighbors(n: int, frac: float) -> int:
    """Return how many of n points each local line is fitted to."""
    # A product that is whole but for rounding counts as whole.
    return min(max(int(frac * n + 1e-10), 2), n)


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
    tricube_weight = _apply_tricube(share)
    tricube_weight *= (radius > 0)[:, None]
    neighbor_y = sliding_window_view(y, k)[first]
    return _Neighborhoods(first, offset, tricube_weight, neighbor_y, y[at])


def _apply_tricube(share: Floats) -> Floats:
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
