"""Curves through a cloud of answers: a robust line, its band, a median slope."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.analytics.stats.lowess import apply_tricube, count_neighbors, lowess
from sync.analytics.stats.series import Floats, Ints, validate_columns

FRACTION = 2 / 3
ROBUST_PASSES = 3
MIN_FOR_LINE = 30
MIN_FOR_BAND = 60
BAND_Z = 1.6448536269514722  # 90 %
GRID_POINTS = 41
_MAX_EXACT_POINTS = 100
_MAX_SLOPE_POINTS = 600
_CHUNK_SIZE = 50_000


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
    bandwidths, error = _compute_bandwidths(x, grid), np.empty_like(grid)
    # A few rows at a time: what fits into the processor's cache adds up twice as fast.
    n_chunks = 1 + len(grid) * len(x) // _CHUNK_SIZE
    for rows in np.array_split(np.arange(len(grid)), n_chunks):
        influence = _local_line_weights(x, grid[rows], bandwidths[rows])
        influence *= residuals
        weekly_sums = np.add.reduceat(influence, starts, axis=1)
        error[rows] = np.sqrt((weekly_sums**2).sum(axis=1))
    return error


def _compute_bandwidths(x: Floats, grid: Floats) -> Floats:
    """Return the distance of two thirds of the points from `grid`, shape (g,)."""
    n_neighbors = min(len(x), max(8, math.ceil(FRACTION * len(x))))
    # The nearest points are adjacent in order: find the first of them.
    sorted_x = np.sort(x)
    midpoints = (sorted_x[: len(x) - n_neighbors] + sorted_x[n_neighbors:]) / 2
    first_neighbor = np.searchsorted(midpoints, grid)
    end_distances = (
        grid - sorted_x[first_neighbor],
        sorted_x[first_neighbor + n_neighbors - 1] - grid,
    )
    return np.maximum(*end_distances) * 1.0001 + 1e-9


def _local_line_weights(x: Floats, grid: Floats, bandwidths: Floats) -> Floats:
    """Return the matrix, shape (g, n), whose product with y is the line at `grid`."""
    weight = x[None, :] - grid[:, None]
    np.abs(weight, out=weight)
    weight /= bandwidths[:, None]
    np.minimum(weight, 1, out=weight)
    apply_tricube(weight)
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
