"""How much of a series repeats itself, and so how much it really counts for."""

import numpy as np

from sync.analytics.stats.series import Floats

MAX_PERSISTENCE = 0.95
MIN_N_EFF = 4.0


def compute_lag_one(values: Floats) -> float:
    """Correlation of a series, shape (n,) oldest first, with its own next value.

    0.0 when the series does not vary.
    """
    centred = values - values.mean()
    total = float(centred @ centred)
    return float(centred[:-1] @ centred[1:]) / total if total > 0 else 0.0


def estimate_persistence(values: Floats) -> float:
    """`lag_one` corrected for its bias in short series, within ±.95.

    (n·r + 1)/(n - 3): a short series looks less persistent than it is.
    Source: docs/figures.md, "The rule".
    """
    n = len(values)
    if n < 4:
        return 0.0
    return float(
        np.clip(
            (n * compute_lag_one(values) + 1) / (n - 3),
            -MAX_PERSISTENCE,
            MAX_PERSISTENCE,
        )
    )


def estimate_pair_n_eff(first: Floats, second: Floats) -> float:
    """How many independent pairs two series, shape (n,), are worth; 4…n.

    Two slow series agree or disagree for weeks by luck, so each further pair
    says little that is new. Bartlett's formula with the product of the two
    persistences; opposite signs are not rewarded.
    """
    return _shrink_n(
        len(first), estimate_persistence(first) * estimate_persistence(second)
    )


def estimate_mean_n_eff(values: Floats) -> float:
    """How many independent values the mean of one series, shape (n,), rests on."""
    return _shrink_n(len(values), estimate_persistence(values))


def _shrink_n(n: int, autocorrelation: float) -> float:
    if n < MIN_N_EFF:
        return float(n)
    share = max(autocorrelation, 0.0)
    return float(max(n * (1 - share) / (1 + share), MIN_N_EFF))
