"""Shares of answers, with intervals widened for autocorrelation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.analytics.stats.series import (
    Z_DRAWN,
    Interval,
    estimate_mean_n_eff,
    sort_by_time,
    validate_columns,
)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of n answers: `count` of them, with its 95 % interval on n_eff."""

    count: int
    n: int
    n_eff: float
    share: float
    i95: Interval


def estimate_share(flags: npt.ArrayLike, days: npt.ArrayLike) -> Share:
    """Estimate how often `flags`, shape (n,), are true at `days`.

    The interval is Wilson's (1927) on n_eff; it stays within 0 and 1 also where none
    or all are true.  Raises `InvalidSeries`.
    """
    times, series = validate_columns(days=days, flags=np.asarray(flags, dtype=float))
    _, series = sort_by_time(times, series)
    n, count = len(series), int(np.count_nonzero(series))
    if n == 0:
        return Share(0, 0, 0.0, float("nan"), (0.0, 1.0))
    share, n_eff = count / n, estimate_mean_n_eff(series)
    scale = 1 + Z_DRAWN**2 / n_eff
    center = (share + Z_DRAWN**2 / (2 * n_eff)) / scale
    spread = share * (1 - share) / n_eff + Z_DRAWN**2 / (4 * n_eff**2)
    half_width = Z_DRAWN * spread**0.5 / scale
    # Rounding must not leave out a share of none or of all.
    low, high = min(center - half_width, share), max(center + half_width, share)
    return Share(count, n, n_eff, share, (max(low, 0.0), min(high, 1.0)))
