"""Season and slow drift, taken out so that a good summer is not a finding."""

import numpy as np

from sync.analytics.stats.series import Floats

YEAR_DAYS = 365.25
HALF_YEAR_DAYS = 182
_ZERO_RESIDUAL = 1e-18


def build_seasonal_columns(days: Floats) -> Floats:
    """Build what a calendar alone explains: shape (n, 2), from half a year (n, 4).

    Columns are 1, time in years and, when `days` span at least 182 days, one
    wave a year as sine and cosine.
    """
    years = (days - days.min()) / YEAR_DAYS
    parts = [np.ones_like(years), years]
    if np.ptp(days) >= HALF_YEAR_DAYS:
        parts += [np.sin(2 * np.pi * years), np.cos(2 * np.pi * years)]
    return np.column_stack(parts)


def remove_season(calendar: Floats, *series: Floats) -> list[Floats]:
    """Take `calendar` out of each series, shape (n,), by least squares.

    Exact zeros when the calendar explains everything: rounding dust must not
    be mistaken for a series.
    """
    values = np.column_stack(series)
    fitted = calendar @ np.linalg.lstsq(calendar, values, rcond=None)[0]
    return [
        _subtract_fit(column, fitted[:, index]) for index, column in enumerate(series)
    ]


def _subtract_fit(values: Floats, fitted: Floats) -> Floats:
    residuals = values - fitted
    centred = values - values.mean()
    if residuals @ residuals <= _ZERO_RESIDUAL * max(
        float(centred @ centred), 1.0
    ) * len(values):
        return np.zeros_like(values)
    return np.asarray(residuals, dtype=np.float64)
