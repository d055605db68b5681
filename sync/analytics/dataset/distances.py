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
_LONGEST_DAY_S = 36 * 3600


class Goings(NamedTuple):
    """Runs as columns, oldest first; seconds count from 1970.

    `ended_s` is nan where the runner hides the time of day.
    """

    id: Sequence[int]
    started_s: Sequence[float]
    ended_s: Sequence[float]
    distance_m: Sequence[float]


def week_loads(days: Sequence[int], metres: Sequence[float]) -> list[float]:
    """Return the metres of the 7 local days up to and including each run.

    Days count as `date.toordinal()` does.  Runs come oldest first; further east or
    west their days may be in another order.
    """
    order = sorted(range(len(days)), key=days.__getitem__)
    loads, first, total = [0.0] * len(days), 0, 0.0
    for place in order:
        total += metres[place]
        gone = days[place] - _WEEK_DAYS
        while days[order[first]] <= gone:
            total -= metres[order[first]]
            first += 1
        loads[place] = total
    return loads


def month_loads(
    runs: Iterable[tuple[date, float]], days: Sequence[date]
) -> list[float]:
    """Return the metres of the 28 local days up to and including each of `days`."""
    ordered = sorted(runs)
    when = [day for day, _ in ordered]
    so_far = [0.0, *accumulate(metres for _, metres in ordered)]
    return [
        so_far[bisect_right(when, day)] - so_far[bisect_right(when, day - MONTH)]
        for day in days
    ]


def usual_week(days: Sequence[int], metres: Sequence[float], today: int) -> float:
    """Return the metres of a usual week: the mean of the 8 weeks up to today.

    nan before there are 8 weeks of history: a beginner has no usual yet.
    """
    if not days or today - min(days) + 1 < _USUAL_WEEKS * _WEEK_DAYS:
        return nan
    since = today - _USUAL_WEEKS * _WEEK_DAYS
    lately = (
        one for day, one in zip(days, metres, strict=True) if since < day <= today
    )
    return sum(lately) / _USUAL_WEEKS


def about(runs: Goings, earlier: Mapping[int, Iterable[int]]) -> list[float]:
    """Return the metres that an answer to each run is about.

    A second run within three hours belongs to the last; `earlier` names runs of
    the day, by the id of the run whose answer is about them too.
    """
    first, so_far = _sessions(runs)
    if not earlier:
        return so_far
    place_of = {run_id: place for place, run_id in enumerate(runs.id)}
    found = list(so_far)
    for run_id, others in earlier.items():
        own = place_of.get(run_id)
        if own is None:
            continue
        last: dict[int, int] = {}
        for place in sorted(place_of[one] for one in others if one in place_of):
            if 0 < runs.started_s[own] - runs.started_s[place] < _LONGEST_DAY_S:
                last[first[place]] = place
        last.pop(first[own], None)
        found[own] += sum(so_far[place] for place in last.values())
    return found


def _sessions(runs: Goings) -> tuple[list[int], list[float]]:
    """Return the first run of each run's session, and its metres up to the run."""
    firsts, so_far = list(range(len(runs.id))), list(runs.distance_m)
    times = zip(runs.started_s[1:], runs.ended_s, strict=False)
    for place, (started_s, last_s) in enumerate(times, start=1):
        if started_s - last_s < _SESSION_GAP_S:
            firsts[place] = firsts[place - 1]
            so_far[place] += so_far[place - 1]
    return firsts, so_far
