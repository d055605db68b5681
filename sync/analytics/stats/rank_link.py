"""The rule for saying that two things move together: `link`."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.analytics.stats.persistence import effective_n
from sync.analytics.stats.season import seasonal_columns, without_season
from sync.analytics.stats.series import (
    Floats,
    Interval,
    average_ranks,
    columns,
    correlation,
    in_time_order,
)

# Standard errors: a 95 % interval to draw, 99 % for words about a question that
# was fixed in advance, 99.7 % for the exploring panels.
DRAWN = 1.959964
WORDS = 2.575829
EXPLORING = 3.0
FEWEST_PAIRS = 30
FEWEST_EFFECTIVE = 20
RAREST_SHIFT = 0.05
_ALMOST_ONE = 1 - 1e-12
_SPEARMAN = 1.06


@dataclass(frozen=True, slots=True)
class Link:
    """What n pairs say about two things moving together.

    n        pairs
    n_eff    how many independent pairs they are worth
    rho      Spearman's rank correlation, -1…1; nan when either never varies
    i95      its interval for drawing, i99 its interval for words
    pshift   share of the n turns of the calendar that look at least as linked
    adj      rank correlation after trend and season; nan when nothing is left
    adj95    the interval of adj
    adj_room independent pairs left for adj, less what the calendar took
    claim    whether the rule lets a sentence be said
    """

    n: int
    n_eff: float
    rho: float
    i95: Interval
    i99: Interval
    pshift: float
    adj: float
    adj95: Interval
    adj_room: float
    claim: bool

    def sure_at(self, q: float) -> bool:
        """Claimed, and zero stays out at `q` before and after season."""
        before = rank_interval(self.rho, self.n_eff, q)
        after = rank_interval(self.adj, self.adj_room, q)
        return self.claim and excludes_zero(before) and excludes_zero(after)


def link(
    x: npt.ArrayLike, y: npt.ArrayLike, days: npt.ArrayLike, *, q: float = WORDS
) -> Link:
    """Say how x and y, shape (n,) each, move together over `days`, shape (n,).

    `days` are times in days from any start; `q` is how many standard errors
    the words need (2.576 for the three questions fixed in advance, 3 for the
    exploring panels). Uses no random numbers: the same rows always give the
    same answer. Source: docs/figures.md, "The rule".
    """
    when, first, second = in_time_order(*columns(days=days, x=x, y=y))
    if len(when) < 2:
        return _unknown(len(when), float(len(when)))
    rank_x, rank_y = average_ranks(first), average_ranks(second)
    rho, n_eff = correlation(rank_x, rank_y), effective_n(rank_x, rank_y)
    if np.isnan(rho):
        return _unknown(len(when), n_eff)
    adj, adj_room = _after_season(rank_x, rank_y, when)
    adj95 = rank_interval(adj, adj_room, DRAWN)
    pshift = _share_of_shifts(rank_x, rank_y)
    certain = (
        len(when) >= FEWEST_PAIRS
        and n_eff >= FEWEST_EFFECTIVE
        and excludes_zero(rank_interval(rho, n_eff, q))
        and pshift <= RAREST_SHIFT
        and excludes_zero(adj95)
        and adj * rho > 0
    )
    return Link(
        n=len(when),
        n_eff=n_eff,
        rho=rho,
        i95=rank_interval(rho, n_eff, DRAWN),
        i99=rank_interval(rho, n_eff, WORDS),
        pshift=pshift,
        adj=adj,
        adj95=adj95,
        adj_room=adj_room,
        claim=bool(certain),
    )


def rank_interval(rho: float, n_eff: float, q: float) -> Interval:
    """Reach q standard errors around `rho` on Fisher's scale.

    The 1.06 is Fieller, Hartley and Pearson's (1957) factor for rank
    correlation. Too little to tell gives the whole range.
    """
    room = n_eff - 3
    if room <= 0 or np.isnan(rho):
        return (-1.0, 1.0)
    middle = np.arctanh(np.clip(rho, -_ALMOST_ONE, _ALMOST_ONE))
    reach = q * np.sqrt(_SPEARMAN / room)
    return (float(np.tanh(middle - reach)), float(np.tanh(middle + reach)))


def excludes_zero(interval: Interval) -> bool:
    low, high = interval
    return low > 0 or high < 0


def _after_season(rank_x: Floats, rank_y: Floats, days: Floats) -> tuple[float, float]:
    calendar = seasonal_columns(days)
    left_x, left_y = without_season(calendar, rank_x, rank_y)
    adj = correlation(left_x, left_y)
    taken = calendar.shape[1] - 1
    return adj, effective_n(left_x, left_y) - taken


def _share_of_shifts(rank_x: Floats, rank_y: Floats) -> float:
    """Share of all turns of x against y, itself included, that are as linked.

    Turning keeps the rhythm of both series and breaks only what joins them.
    Doubled ranks are whole numbers, so after rounding the n sums are exact and
    ties are ties on every machine; one Fourier transform gives all n at once, of
    a length that is a power of two, because that of a prime costs ten times more.
    """
    n = len(rank_x)
    whole_x, whole_y = 2 * rank_x - (n + 1), 2 * rank_y - (n + 1)
    length = 1 << (2 * n - 1).bit_length()
    spectrum = np.conj(np.fft.rfft(whole_x, length)) * np.fft.rfft(whole_y, length)
    lagged = np.fft.irfft(spectrum, length)
    # What a turn pushes over one end comes back at the other.
    sums = np.abs(np.rint(lagged[:n] + lagged[-n:]))
    return float(np.count_nonzero(sums[1:] >= sums[0]) + 1) / n


def _unknown(n: int, n_eff: float) -> Link:
    nan, anything = float("nan"), (-1.0, 1.0)
    return Link(
        n=n,
        n_eff=n_eff,
        rho=nan,
        i95=anything,
        i99=anything,
        pshift=1.0,
        adj=nan,
        adj95=anything,
        adj_room=0.0,
        claim=False,
    )
