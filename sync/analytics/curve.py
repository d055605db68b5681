"""Curves through a cloud of answers: a robust line, its band, a human slope."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.analytics.neighbours import places_apart, reach_of, sums, tricube
from sync.analytics.series import Floats, Ints, columns

FRACTION = 2 / 3
ROBUST_PASSES = 3
FEWEST_FOR_LINE = 30
FEWEST_FOR_BAND = 60
BAND_Z = 1.6448536269514722  # 90 %
GRID_POINTS = 41
_EXACT_UP_TO = 500
_PAIRS_FROM = 600
_NO_SPREAD = 1e-12


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


def lowess(x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Cleveland's robust local line through (x, y), at each x; shape (n,).

    Two thirds of the points at a time, three robust passes. Above 500 points
    neighbours closer than a fortieth of the range share one fit. The same as
    statsmodels' `lowess`, which would cost a process 40 MB; a test holds the two
    together. Distances that repeat leave no room for a line: then there is nan.
    """
    across, up = columns(x=x, y=y)
    order = np.argsort(across, kind="stable")
    fitted = np.empty_like(up)
    with np.errstate(divide="ignore", invalid="ignore"):
        fitted[order] = _robust_line(across[order] - across.mean(), up[order])
    return fitted


def _robust_line(x: Floats, y: Floats) -> Floats:
    many = len(x)
    near = min(many, max(2, int(FRACTION * many + 1e-10)))
    places = places_apart(x, np.ptp(x) / (GRID_POINTS - 1) * (many > _EXACT_UP_TO))
    at = x[places]
    weight = tricube(x, at, reach_of(x, at, near))
    fitted, trust = y, np.ones(many)
    for _ in range(1 + ROBUST_PASSES):
        parts = (trust, trust * x, trust * x * x, trust * y, trust * x * y)
        total, *means = sums(weight, *parts)
        line = _at(at, *(mean / total for mean in means))
        fitted = np.interp(x, at, np.where(total == 0, y[places], line))
        trust = _bisquare(y - fitted)
    return fitted


def _at(at: Floats, x: Floats, x2: Floats, y: Floats, xy: Floats) -> Floats:
    """Value of a line, from the means of x, x², y and x·y; shape (g,) each."""
    return y + (at - x) * (xy - x * y) / np.maximum(x2 - x * x, _NO_SPREAD)


def _bisquare(left: Floats) -> Floats:
    """Trust points the less the further they are from the line, shape (n,)."""
    apart = np.abs(left)
    middle = np.median(apart)
    share = np.minimum(apart / (6 * middle), 1) if middle else np.sign(apart)
    return np.asarray((1 - share * share) ** 2)


def typical(x: npt.ArrayLike, y: npt.ArrayLike, weeks: Ints) -> Curve | None:
    """Draw the typical y along x on 41 points; nothing under 30 points.

    The band (from 60 points) is robust by `weeks`, shape (n,): answers of one
    week are not independent, so each week counts as one.
    """
    across, up = columns(x=x, y=y)
    if len(across) < FEWEST_FOR_LINE or not np.ptp(across) > 0:
        return None
    fitted = lowess(across, up)
    if not np.isfinite(fitted).all():
        return None
    order = np.argsort(across, kind="stable")
    grid = np.linspace(across.min(), across.max(), GRID_POINTS)
    line = np.interp(grid, across[order], fitted[order])
    if len(across) < FEWEST_FOR_BAND:
        return Curve(grid, line)
    reach = BAND_Z * _week_robust_error(across, grid, (up - fitted, weeks))
    return Curve(grid, line, line - reach, line + reach)


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
    _, starts = np.unique(weeks[order], return_index=True)
    pull = _local_line_weights(x[order], grid)
    pull *= residuals[order]
    by_week = np.add.reduceat(pull, starts, axis=1)
    return np.asarray(np.sqrt((by_week**2).sum(axis=1)), dtype=np.float64)


def _local_line_weights(x: Floats, grid: Floats) -> Floats:
    """Matrix, shape (g, n), whose product with y is the local line at `grid`."""
    near = min(len(x), max(8, math.ceil(FRACTION * len(x))))
    reach = reach_of(np.sort(x), grid, near) * 1.0001 + 1e-9
    weight = tricube(x, grid, reach)
    middle = x.mean()
    x = x - middle
    total, first, second = sums(weight, np.ones_like(x), x, x * x)
    centre = first / total
    spread = second - total * centre**2
    steep = np.divide(
        grid - middle - centre, spread, out=np.zeros_like(grid), where=spread > 1e-9
    )
    # A line's weights are 1 / total + (x - centre) * steep, here as one sum.
    line = steep[:, None] * x
    line += (1 / total - centre * steep)[:, None]
    weight *= line
    return weight
