"""The rule for saying that two things move together: `link`."""

from dataclasses import dataclass
from math import atanh, isnan, sqrt, tanh

import numpy as np
import numpy.typing as npt

from sync.analytics.stats.rhythm import build_rhythm_columns
from sync.analytics.stats.series import (
    Z_CLAIM,
    Z_DRAWN,
    Calendar,
    Floats,
    Interval,
    build_calendars,
    choose_word_levels,
    compute_average_ranks,
    compute_correlation,
    enclose,
    estimate_pair_n_eff,
    excludes_zero,
    sort_by_time,
    validate_columns,
)

MIN_PAIRS = 30
MIN_N_EFF = 20
MAX_PSHIFT = 0.05
_MAX_RHO = 1 - 1e-12
_SPEARMAN_FACTOR = 1.06


@dataclass(frozen=True, slots=True)
class AdjustedLink:
    """A rank correlation after the calendar, and the independent pairs left for it."""

    rho: float
    n_eff: float

    def interval(self, q: float) -> Interval:
        return compute_rank_interval(self.rho, self.n_eff, q)


@dataclass(frozen=True, slots=True)
class Link:
    """The link between two series of n pairs.

    n          pairs
    n_eff      independent pairs that they are worth
    rho        Spearman's rank correlation, -1…1; nan when either never varies
    i95        its interval for drawing, i99 its interval for words
    pshift     share of the n circular shifts that look at least as linked
    adj        rank correlation after the calendar: trend, season, weekday and time of
               day; nan when nothing is left
    adj95      the interval of adj
    adj_n_eff  independent pairs left for adj, less the calendar's columns
    claim      whether the rule allows a sentence
    season     the link after trend and season alone
    rhythm     the link after the calendar and the strongest rhythm of x; None where
               it decides nothing, as a 95 % interval holds 0 without it
    """

    n: int
    n_eff: float
    rho: float
    i95: Interval
    i99: Interval
    pshift: float
    adj: float
    adj95: Interval
    adj_n_eff: float
    claim: bool
    season: AdjustedLink
    rhythm: AdjustedLink | None

    def find_words_interval(self, q: float) -> Interval:
        """Return the interval that decides about words, longer than those drawn of rho.

        It holds every estimate on which the words rest, each at its `WordLevels`, and
        0 wherever the rule withholds words for another reason.
        """
        levels = choose_word_levels(q, self.n)
        intervals = [
            compute_rank_interval(self.rho, self.n_eff, levels.before),
            self.season.interval(levels.before),
            compute_rank_interval(self.adj, self.adj_n_eff, levels.calendar),
        ]
        if self.rhythm is not None:
            intervals.append(self.rhythm.interval(levels.rhythm))
        if self.n < MIN_PAIRS or self.n_eff < MIN_N_EFF or self.pshift > MAX_PSHIFT:
            intervals.append((0.0, 0.0))
        return enclose(intervals)

    def is_certain_at(self, q: float) -> bool:
        """Tell whether a sentence may claim it at `q`, whatever the calendar does."""
        return excludes_zero(self.find_words_interval(q))


def link(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    q: float = Z_CLAIM,
    hours: npt.ArrayLike | None = None,
) -> Link:
    """Estimate how x and y, shape (n,) each, move together over `days`, shape (n,).

    The whole part of `days` is a local day, and day 0 a Monday; `hours`, shape (n,),
    are local hours of the day, None where time of day is not to be taken out.  `q` is
    the number of standard errors that words need (2.576 for the three questions fixed
    in advance, 3 for the exploring panels).  It uses no random numbers: the same rows
    give the same result.  Raises `InvalidSeries`.  Source: docs/figures.md, "The
    rule".
    """
    times, first, second, clock = sort_by_time(
        *validate_columns(days=days, x=x, y=y, hours=days if hours is None else hours)
    )
    if len(times) < 2:
        return _undefined_link(len(times), float(len(times)))
    rank_x, rank_y = compute_average_ranks(first), compute_average_ranks(second)
    rho, n_eff = (
        compute_correlation(rank_x, rank_y),
        estimate_pair_n_eff(rank_x, rank_y),
    )
    if np.isnan(rho):
        return _undefined_link(len(times), n_eff)
    calendars = build_calendars(times, None if hours is None else clock)
    after_calendar = _adjust(rank_x, rank_y, calendars.full)
    after_season = _adjust(rank_x, rank_y, calendars.season)
    adj95 = after_calendar.interval(Z_DRAWN)
    i95 = compute_rank_interval(rho, n_eff, Z_DRAWN)
    after_rhythm = None
    if excludes_zero(enclose([i95, adj95, after_season.interval(Z_DRAWN)])):
        rhythm = build_rhythm_columns(times, *calendars.season.remove(rank_x))
        after_rhythm = _adjust(rank_x, rank_y, calendars.full.extend(rhythm))
    pshift = _compute_pshift(rank_x, rank_y)
    is_claim = (
        len(times) >= MIN_PAIRS
        and n_eff >= MIN_N_EFF
        and excludes_zero(compute_rank_interval(rho, n_eff, q))
        and pshift <= MAX_PSHIFT
        and excludes_zero(adj95)
        and after_calendar.rho * rho > 0
    )
    return Link(
        n=len(times),
        n_eff=n_eff,
        rho=rho,
        i95=i95,
        i99=compute_rank_interval(rho, n_eff, Z_CLAIM),
        pshift=pshift,
        adj=after_calendar.rho,
        adj95=adj95,
        adj_n_eff=after_calendar.n_eff,
        claim=bool(is_claim),
        season=after_season,
        rhythm=after_rhythm,
    )


def _adjust(rank_x: Floats, rank_y: Floats, calendar: Calendar) -> AdjustedLink:
    residual_x, residual_y = calendar.remove(rank_x, rank_y)
    return AdjustedLink(
        compute_correlation(residual_x, residual_y),
        estimate_pair_n_eff(residual_x, residual_y) - calendar.df,
    )


def compute_rank_interval(rho: float, n_eff: float, q: float) -> Interval:
    """Return the interval of q standard errors around `rho` on Fisher's scale.

    The 1.06 is Fieller, Hartley and Pearson's (1957) factor for rank correlation.
    An n_eff of 3 or less gives the whole range, -1…1.
    """
    df = n_eff - 3
    if df <= 0 or isnan(rho):
        return (-1.0, 1.0)
    center = atanh(min(max(rho, -_MAX_RHO), _MAX_RHO))
    half_width = q * sqrt(_SPEARMAN_FACTOR / df)
    return (tanh(center - half_width), tanh(center + half_width))


def _compute_pshift(rank_x: Floats, rank_y: Floats) -> float:
    """Return the share of the n circular shifts at least as linked as x and y are.

    A shift keeps the rhythm of both series and breaks only the link between them.
    Doubled ranks are whole numbers, so after rounding the n sums are exact and
    ties are ties on every machine.  One Fourier transform gives all n sums, of a
    length that is a power of two, because a prime length costs ten times more.
    """
    n = len(rank_x)
    doubled_x, doubled_y = 2 * rank_x - (n + 1), 2 * rank_y - (n + 1)
    length = 1 << (2 * n - 1).bit_length()
    spectrum = np.conj(np.fft.rfft(doubled_x, length)) * np.fft.rfft(doubled_y, length)
    lagged = np.fft.irfft(spectrum, length)
    # What a shift pushes over one end comes back at the other.
    sums = np.abs(np.rint(lagged[:n] + lagged[-n:]))
    return float(np.count_nonzero(sums[1:] >= sums[0]) + 1) / n


def _undefined_link(n: int, n_eff: float) -> Link:
    nan, full_range = float("nan"), (-1.0, 1.0)
    return Link(
        n=n,
        n_eff=n_eff,
        rho=nan,
        i95=full_range,
        i99=full_range,
        pshift=1.0,
        adj=nan,
        adj95=full_range,
        adj_n_eff=0.0,
        claim=False,
        season=AdjustedLink(nan, 0.0),
        rhythm=None,
    )
