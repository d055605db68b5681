"""What each run adds up to with those before it, for pages that need no numpy.

The same sums as in `sync.analytics.dataset.history`, which draws the lines through the
dots that these place; a test holds the two together.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate
from math import nan
from typing import NamedTuple

WEEK = timedelta(days=7)
MONTH = timedelta(days=28)
_WEEK_DAYS = 7
_USUAL_WEEKS = 8
_SESSION_GAP_S = 3 * 3600
_MAX_DAY_S = 36 * 3600


class RunSeries(NamedTuple):
    """Runs as columns, oldest first; seconds count from 1970.

    `ended_s` is nan where the runner hides the time of day.
    """

    id: Sequence[int]
    started_s: Sequence[float]
    ended_s: Sequence[float]
    distance_m: Sequence[float]


def compute_week_loads(days: Sequence[int], metres: Sequence[float]) -> list[float]:
    """Return the metres of the 7 local days up to and including each run.

    Days count as `date.toordinal()` does.  Runs come oldest first; further east or
    west their days may be in another order.
    """
    order = sorted(range(len(days)), key=days.__getitem__)
    loads, oldest, total = [0.0] * len(days), 0, 0.0
    for index in order:
        total += metres[index]
        cutoff = days[index] - _WEEK_DAYS
        while days[order[oldest]] <= cutoff:
            total -= metres[order[oldest]]
            oldest += 1
        loads[index] = total
    return loads


def compute_month_loads(
    runs: Iterable[tuple[date, float]], days: Sequence[date]
) -> list[float]:
    """Return the metres of the 28 local days up to and including each of `days`."""
    sorted_runs = sorted(runs)
    run_days = [day for day, _ in sorted_runs]
    cumulative = [0.0, *accumulate(metres for _, metres in sorted_runs)]
    return [
        cumulative[bisect_right(run_days, day)]
        - cumulative[bisect_right(run_days, day - MONTH)]
        for day in days
    ]


def compute_usual_week(
    days: Sequence[int], metres: Sequence[float], today: int
) -> float:
    """Return the metres of a usual week: the mean of the 8 weeks up to today.

    nan before there are 8 weeks of history: a beginner has no usual yet.
    """
    if not days or today - min(days) + 1 < _USUAL_WEEKS * _WEEK_DAYS:
        return nan
    first_day = today - _USUAL_WEEKS * _WEEK_DAYS
    recent_metres = (
        distance_m
        for day, distance_m in zip(days, metres, strict=True)
        if first_day < day <= today
    )
    return sum(recent_metres) / _USUAL_WEEKS


def sum_answer_distances(
    runs: RunSeries, earlier_runs: Mapping[int, Iterable[int]]
) -> list[float]:
    """Return the metres that an answer to each run is about.

    A second run within three hours belongs to the last; `earlier` names runs of
    the day, by the id of the run whose answer is about them too.
    """
    session_starts, session_distances = _sum_sessions(runs)
    if not earlier_runs:
        return session_distances
    index_by_id = {run_id: index for index, run_id in enumerate(runs.id)}
    distances = list(session_distances)
    for run_id, earlier_ids in earlier_runs.items():
        own_index = index_by_id.get(run_id)
        if own_index is None:
            continue
        last_runs: dict[int, int] = {}
        for index in sorted(
            index_by_id[earlier_id]
            for earlier_id in earlier_ids
            if earlier_id in index_by_id
        ):
            if 0 < runs.started_s[own_index] - runs.started_s[index] < _MAX_DAY_S:
                last_runs[session_starts[index]] = index
        last_runs.pop(session_starts[own_index], None)
        distances[own_index] += sum(
            session_distances[index] for index in last_runs.values()
        )
    return distances


def _sum_sessions(runs: RunSeries) -> tuple[list[int], list[float]]:
    """Return the first run of each run's session, and its metres up to the run."""
    session_starts, session_distances = list(range(len(runs.id))), list(runs.distance_m)
    times = zip(runs.started_s[1:], runs.ended_s, strict=False)
    for index, (started_s, previous_end_s) in enumerate(times, start=1):
        if started_s - previous_end_s < _SESSION_GAP_S:
            session_starts[index] = session_starts[index - 1]
            session_distances[index] += session_distances[index - 1]
    return session_starts, session_distances
