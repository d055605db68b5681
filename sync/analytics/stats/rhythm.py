"""The rhythm of what a runner does: shifts of work, alternate weeks."""

import numpy as np

from sync.analytics.stats.series import MIN_FOR_HARMONICS, Floats

MIN_PERIOD_DAYS, MAX_PERIOD_DAYS = 2, 35
_HARMONICS = (1, 2, 3)
_GRID_DENSITY = 8  # frequencies for each that n days can tell apart


def build_rhythm_columns(days: Floats, behavior: Floats) -> list[Floats]:
    """Return the strongest wave of `behavior`, shape (n,), as sine and cosine.

    Its period is 2 to 35 days: where days off come round in six days, no weekday
    tells them.  From 120 values on its second and third harmonic are with it, because
    three days on and three off are no sine.  Mood has no part in the choice, so that a
    wave without meaning costs its degrees of freedom and nothing else.  Source: the
    largest ordinate of the periodogram on a grid of days; docs/decisions/0032.
    """
    day = np.floor(days).astype(np.int64)
    day -= day.min()
    span = int(day.max()) + 1
    if span < 2 * MIN_PERIOD_DAYS:
        return []
    length = 1 << (_GRID_DENSITY * span).bit_length()
    power = np.abs(np.fft.rfft(np.bincount(day, behavior, span), length))
    per_day = np.arange(len(power)) / length
    is_rhythm = (per_day >= 1 / MAX_PERIOD_DAYS) & (per_day <= 1 / MIN_PERIOD_DAYS)
    strongest = per_day[int(np.argmax(np.where(is_rhythm, power, -1)))]
    harmonics = _HARMONICS if len(days) >= MIN_FOR_HARMONICS else _HARMONICS[:1]
    # On whole days a harmonic beyond half a cycle a day is one below it.
    angles = [2 * np.pi * day * harmonic * strongest for harmonic in harmonics]
    return [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
