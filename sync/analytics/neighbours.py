"""Points near a place, as weights: what a local line through a cloud rests on."""

import numpy as np

from sync.analytics.series import Floats, Ints


def places_apart(ordered: Floats, step: float) -> Ints:
    """Choose rows of `ordered`, shape (n,), that are at most `step` apart, ends in.

    Of equal values the first one; every other row where they are further apart.
    """
    chosen, row, last = [], 0, len(ordered) - 1
    while True:
        chosen.append(row)
        equal, beyond = np.searchsorted(
            ordered, (ordered[row], ordered[row] + step), side="right"
        )
        if equal > last:
            return np.array(chosen, dtype=np.int64)
        row = max(int(beyond) - 1, int(equal))


def reach_of(ordered: Floats, at: Floats, near: int) -> Floats:
    """Return how far the `near` nearest of `ordered` are from each of `at`, (g,)."""
    # The nearest points are neighbours in order: find where each run of them begins.
    middles = (ordered[: len(ordered) - near] + ordered[near:]) / 2
    first = np.searchsorted(middles, at)
    return np.maximum(at - ordered[first], ordered[first + near - 1] - at)


def tricube(x: Floats, at: Floats, reach: Floats) -> Floats:
    """Weigh each of `x` by its nearness to each of `at`, shape (g, n); 0 beyond reach.

    In place throughout: these are the largest matrices of the whole page.
    """
    weight = x[None, :] - at[:, None]
    np.abs(weight, out=weight)
    weight /= reach[:, None]
    cube = weight * weight
    cube *= weight
    np.subtract(1, cube, out=cube)
    np.maximum(cube, 0, out=cube)
    np.multiply(cube, cube, out=weight)
    weight *= cube
    return weight


def sums(weight: Floats, *columns: Floats) -> Floats:
    """Add up each column, shape (n,), by every row of weights: shape (k, g).

    Not by a matrix product: for one of this size a linear algebra library wakes
    a thread on every core, which costs more than the sums where others run too.
    """
    return np.asarray(np.einsum("gn,kn->kg", weight, np.stack(columns)))
