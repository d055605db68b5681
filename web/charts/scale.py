"""Axes: their round ends, their ticks and their labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from web.formats import format_month

_STEPS = (1, 2, 5, 10, 15, 20, 25, 50, 100, 200, 500, 1000)
_MAX_TICKS = 6
_CLIP_FROM_COUNT = 30
_MIN_AXIS_END = 5.0
_MIN_TOP = 10.0
_MIN_MONTH_GAP = 12  # percent of the width that a name needs on a phone


@dataclass(frozen=True, slots=True)
class AxisLabel:
    """A text beside a drawing; `position` is in percent of the axis."""

    text: str
    position: float


def choose_tick_step(highest: float) -> int:
    """Return the smallest round step that needs at most six ticks."""
    fitting = (step for step in _STEPS if highest / step <= _MAX_TICKS)
    return next(fitting, _STEPS[-1])


def compute_axis_end(values: Sequence[float]) -> float:
    """Return where the axis ends: a few outliers must not squeeze all others.

    With enough values it is just past 99 of 100 values, and what lies
    beyond sits at the edge; with few it is the next round number.
    """
    if not values:
        return _MIN_AXIS_END
    if len(values) > _CLIP_FROM_COUNT:
        ordered = sorted(values)
        return max(ordered[math.ceil(0.99 * len(ordered)) - 1] * 1.06, _MIN_AXIS_END)
    highest = max(max(values) * 1.12, _MIN_AXIS_END)
    step = choose_tick_step(highest)
    return float(math.ceil(highest / step) * step)


def list_ticks(axis_end: float) -> list[int]:
    """Return the round values from 0 that have room for their numbers."""
    step = choose_tick_step(axis_end)
    return [
        value for value in range(0, int(axis_end) + 1, step) if value < axis_end * 0.985
    ]


def compute_top(values: Sequence[float]) -> int:
    """Return the round end of a vertical axis from 0 that holds every value."""
    highest = max([*values, _MIN_TOP])
    step = choose_tick_step(highest)
    return math.ceil(highest / step) * step


def list_month_labels(days: Sequence[date]) -> list[AxisLabel]:
    """Name the months that begin along an axis of `days`, as many as have room."""
    labels: list[AxisLabel] = []
    for index, day in enumerate(days):
        is_month_start = index == 0 or day.month != days[index - 1].month
        position = round(100 * index / len(days), 2)
        has_room = not labels or position - labels[-1].position >= _MIN_MONTH_GAP
        if is_month_start and has_room:
            labels.append(AxisLabel(format_month(day), position))
    return labels
