"""The best-range test: mood by ranges of mileage against turned calendars."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.analytics.stats.groups import difference
from sync.analytics.stats.series import Floats, Ints, columns, in_time_order

STEPS = (5, 10, 15, 20, 25, 30, 40, 50)
MOST_BINS = 5.6
DRIFT_DAYS = 45
GOOD = 1
_SAME = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Shape:
    """Mood by ranges of mileage, and how easily chance makes such a picture.

    edges      lower ends of the k ranges, the last one open, shape (k,)
    count      answers in each, mean mood in each, shape (k,)
    best       which range has the highest mean
    p          share of turns of the calendar with at least as much difference
    good_in    share of Good or Great answers in the best range
    good_out   the same in all others
    apart      whether the best range differs from the others by the group rule
    """

    n: int
    edges: Floats
    count: Ints
    mean: Floats
    best: int
    p: float
    good_in: float
    good_out: float
    apart: bool

    @property
    def best_range(self) -> tuple[float, float | None]:
        """Lower and upper end of the best range; None when it is open."""
        last = self.best == len(self.edges) - 1
        return float(self.edges[self.best]), (
            None if last else float(self.edges[self.best + 1])
        )


def shape(
    mileage: npt.ArrayLike, mood: npt.ArrayLike, days: npt.ArrayLike
) -> Shape | None:
    """Compare `mood`, shape (n,), between round ranges of `mileage`, shape (n,).

    `mileage` is in the runner's own unit, because the ranges are round in it;
    `days` are local days. None when there are not two ranges to compare. Slow
    drift is removed from mood and from the ranges, so a good summer of much
    running is not a finding; then the difference between the ranges is held
    against what the same answers show when turned round the calendar, forwards
    and backwards, which keeps the rhythm of both series. No random numbers.
    Source: docs/decisions/0007.
    """
    when, across, up = in_time_order(*columns(days=days, mileage=mileage, mood=mood))
    fewest = max(3, int(0.05 * len(when)))
    edges = round_ranges(across, fewest)
    place = np.searchsorted(edges, across, side="right") - 1
    count = np.bincount(place, minlength=len(edges))
    enough = count >= fewest
    if np.count_nonzero(enough) < 2 or not np.ptp(up) > 0:
        return None
    member = (place[:, None] == np.flatnonzero(enough)).astype(np.float64)
    steady = np.column_stack([without_drift(one, when) for one in member.T])
    mean = np.bincount(place, weights=up, minlength=len(edges)) / np.maximum(count, 1)
    best = int(np.argmax(np.where(enough, mean, -np.inf)))
    good, inside = up >= GOOD, place == best
    return Shape(
        n=len(when),
        edges=edges,
        count=count.astype(np.int64),
        mean=np.where(count > 0, mean, np.nan),
        best=best,
        p=_share_of_turns(steady / np.sqrt(count[enough]), without_drift(up, when)),
        good_in=float(good[inside].mean()),
        good_out=float(good[~inside].mean()),
        apart=difference(up, inside, when).claim,
    )


def round_ranges(mileage: Floats, fewest: int) -> Floats:
    """Lower ends of at most six round ranges, the first from zero.

    Ranges at either end with fewer than `fewest` values join their neighbour.
    """
    most = float(np.percentile(mileage, 97)) if len(mileage) else 0.0
    step = next((step for step in STEPS if most / step <= MOST_BINS), STEPS[-1])
    edges = [float(step * i) for i in range(int(most // step) + 1)]
    while len(edges) > 2 and np.count_nonzero(mileage >= edges[-1]) < fewest:
        edges.pop()
    while len(edges) > 2 and np.count_nonzero(mileage < edges[1]) < fewest:
        edges.pop(1)
    return np.array(edges)


def without_drift(values: Floats, days: Floats) -> Floats:
    """Subtract each value's neighbourhood: a Gaussian of 45 days, shape (n,).

    Done on a grid of whole days, so that ten years cost a millisecond.
    """
    place = np.floor(days - days.min()).astype(np.int64)
    reach = 4 * DRIFT_DAYS
    apart = np.arange(-reach, reach + 1) / DRIFT_DAYS
    kernel = np.exp(-0.5 * apart**2)
    span = int(place.max()) + 1
    total = np.convolve(np.bincount(place, values, span), kernel)[reach:-reach]
    weight = np.convolve(np.bincount(place, minlength=span), kernel)[reach:-reach]
    return np.asarray(values - (total / np.maximum(weight, 1e-300))[place])


def _share_of_turns(member: Floats, values: Floats) -> float:
    """Share of turned calendars that tell the ranges apart as well as ours."""
    n = len(values)
    near = max(2, n // 20)
    centred = values - values.mean()
    forwards = _between(member, centred)
    backwards = _between(member, centred[::-1])
    ours = forwards[0]
    turned = np.concatenate((forwards[near : n - near + 1], backwards))
    return float(1 + np.count_nonzero(turned >= ours * _SAME)) / (1 + len(turned))


def _between(member: Floats, values: Floats) -> Floats:
    """Measure the spread between ranges for all n turns of `values`, shape (n,)."""
    spectrum = np.fft.rfft(member, axis=0) * np.conj(np.fft.rfft(values))[:, None]
    sums = np.fft.irfft(spectrum, len(values), axis=0)
    return np.asarray((sums**2).sum(axis=1), dtype=np.float64)
