"""Curves through a cloud of answers: a robust line, its band, a human slope."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.analytics.stats.lowess import lowess, neighbor_count
from sync.analytics.stats.series import Floats, Ints, columns

FRACTION = 2 / 3
ROBUST_PASSES = 3
FEWEST_FOR_LINE = 30
FEWEST_FOR_BAND = 60
BAND_Z = 1.6448536269514722  # 90 %
GRID_POINTS = 41
_EXACT_UP_TO = 100
_PAIRS_FROM = 600
_NUMBERS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through n points: x and y, shape (g,), and a 90 % band or nothing."""

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


def robust_line(x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Return Cleveland's robust local line through (x, y), at each x; shape (n,).

    Two thirds of the points at a time, three robust passes. Above 100 points
    neighbours closer than a fortieth of the range share one fit, which moves the
    line by a twentieth of a step of mood at most.
    """
    across, up = columns(x=x, y=y)
    delta = fit_distance(across)
    return lowess(across, up, frac=FRACTION, it=ROBUST_PASSES, delta=delta)


def fit_distance(x: Floats) -> float:
    """Return how far apart points are that each get a fit of their own."""
    if len(x) <= _EXACT_UP_TO:
        return 0.0
    return float(np.ptp(x)) / (GRID_POINTS - 1)


def typical(x: npt.ArrayLike, y: npt.ArrayLike, weeks: Ints) -> Curve | None:
    """Draw the typical y along x on 41 points; nothing under 30 points.

    Nothing either where two thirds of all x are one and the same: no line can be
    fitted to these.
    The band (from 60 points) is robust by `weeks`, shape (n,): answers of one
    week are not independent, so each week counts as one.
    """
    across, up = columns(x=x, y=y)
    order = np.argsort(across, kind="stable")
    if len(across) < FEWEST_FOR_LINE or _has_no_room(across[order]):
        return None
    fitted = robust_line(across, up)
    grid = np.linspace(across.min(), across.max(), GRID_POINTS)
    line = np.interp(grid, across[order], fitted[order])
    if len(across) < FEWEST_FOR_BAND:
        return Curve(grid, line)
    reach = BAND_Z * _week_robust_error(across, grid, (up - fitted, weeks))
    return Curve(grid, line, line - reach, line + reach)


def _has_no_room(ordered: Floats) -> bool:
    """Tell whether all neighbors of some point have the same x as it has."""
    near = neighbor_count(len(ordered), FRACTION)
    return bool((ordered[near - 1 :] == ordered[: len(ordered) - near + 1]).any())


def median_slope(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return Theil and Sen's slope alone, which needs nothing but numpy."""
    across, up = _thinned(*columns(x=x, y=y))
    runs, rises = (one[:, None] - one for one in (across, up))
    is_pair = runs > 0
    return float(np.median(rises[is_pair] / runs[is_pair])) if is_pair.any() else 0.0


def theil_sen(x: npt.ArrayLike, y: npt.ArrayLike) -> Slope:
    """Median of the slopes of all pairs of points, and its interval; shape (n,)."""
    # Imported here: it takes a second, and pages need the slope alone.
    from scipy.stats import theilslopes  # noqa: PLC0415

    across, up = _thinned(*columns(x=x, y=y))
    # Where all but everything is tied, rounding may leave it a root of less than 0.
    with np.errstate(invalid="ignore"):
        found = theilslopes(up, across)
    return Slope(
        slope=float(found.slope),
        intercept=float(found.intercept),
        low=float(found.low_slope),
        high=float(found.high_slope),
    )


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Leave at most 600 points, spread evenly over the series.

    All pairs of thousands would take seconds and change nothing one can see.
    """
    if len(x) <= _PAIRS_FROM:
        return x, y
    some = np.linspace(0, len(x) - 1, _PAIRS_FROM).round().astype(int)
    return x[some], y[some]


def _week_robust_error(x: Floats, grid: Floats, left: tuple[Floats, Ints]) -> Floats:
    """Estimate a local line's standard error at each grid point, by week."""
    residuals, weeks = left
    order = np.argsort(weeks, kind="stable")
    x, residuals = x[order], residuals[order]
    _, starts = np.unique(weeks[order], return_index=True)
    reach, error = _reach(x, grid), np.empty_like(grid)
    # A few places at a time: what the processor still holds is added up twice as fast.
    pieces = 1 + len(grid) * len(x) // _NUMBERS_AT_ONCE
    for some in np.array_split(np.arange(len(grid)), pieces):
        pull = _local_line_weights(x, grid[some], reach[some])
        pull *= residuals
        by_week = np.add.reduceat(pull, starts, axis=1)
        error[some] = np.sqrt((by_week**2).sum(axis=1))
    return error


def _reach(x: Floats, grid: Floats) -> Floats:
    """Return how far two thirds of the points are from each of `grid`, shape (g,)."""
    near = min(len(x), max(8, math.ceil(FRACTION * len(x))))
    # The nearest points are neighbours in order: find where each run of them begins.
    ordered = np.sort(x)
    middles = (ordered[: len(x) - near] + ordered[near:]) / 2
    first = np.searchsorted(middles, grid)
    ends = (grid - ordered[first], ordered[first + near - 1] - grid)
    return np.maximum(*ends) * 1.0001 + 1e-9


def _local_line_weights(x: Floats, grid: Floats, reach: Floats) -> Floats:
    """Matrix, shape (g, n), whose product with y is the local line at `grid`."""
    weight = x[None, :] - grid[:, None]
    np.abs(weight, out=weight)
    weight /= reach[:, None]
    _tricube(weight)
    total, middle = weight.sum(axis=1), x.mean()
    centre = weight @ (x - middle) / total
    spread = weight @ (x - middle) ** 2 - total * centre**2
    steep = np.divide(
        grid - middle - centre, spread, out=np.zeros_like(grid), where=spread > 1e-9
    )
    # A line's weights are 1 / total + (x - centre) * steep, here as one sum.
    line = steep[:, None] * (x - middle)[None, :]
    line += (1 / total - centre * steep)[:, None]
    weight *= line
    return weight


def _tricube(apart: Floats) -> None:
    """Turn distances, as shares of the reach, into weights; 0 beyond it."""
    cube = apart * apart
    cube *= apart
    np.subtract(1, cube, out=cube)
    np.maximum(cube, 0, out=cube)
    np.multiply(cube, cube, out=apart)
    apart *= cube
