"""What each run adds up to with those before it, for pages that need no numpy.

The same sums as in `sync.analytics.history`, which draws the lines through the
dots that these place; a test holds the two together.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import NamedTuple

WEEK = timedelta(days=7)
MONTH = timedelta(days=28)
_WEEK_DAYS = 7
_SESSION_GAP_S = 3 * 3600
_LONGEST_DAY_S = 36 * 3600


class Going(NamedTuple):
    """One run; `ended_s` is None when the runner hides the time of day.

    Seconds count from 1970, and days as `date.toordinal()` does.
    """

    id: int
    started_s: float
    ended_s: float | None
    local_day: int
    distance_m: float


def week_loads(runs: Sequence[Going]) -> list[float]:
    """Return the metres of the 7 local days up to and including each run.

    Runs come oldest first; further east or west their days may be in another order.
    """
    days, metres = [run.local_day for run in runs], [run.distance_m for run in runs]
    order = sorted(range(len(runs)), key=days.__getitem__)
    loads, first, total = [0.0] * len(runs), 0, 0.0
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


def about(runs: Sequence[Going], earlier: Mapping[int, Iterable[int]]) -> list[float]:
    """Return the metres that an answer to each run is about; runs oldest first.

    A second run within three hours belongs to the last; `earlier` names runs of
    the day, by the id of the run whose answer is about them too.
    """
    sessions = _sessions(runs)
    so_far = [metres for _, metres in sessions]
    place_of = {run.id: place for place, run in enumerate(runs)}
    found = list(so_far)
    for run_id, others in earlier.items():
        own = place_of.get(run_id)
        if own is None:
            continue
        last: dict[int, int] = {}
        for place in sorted(place_of[one] for one in others if one in place_of):
            if 0 < runs[own].started_s - runs[place].started_s < _LONGEST_DAY_S:
                last[sessions[place][0]] = place
        last.pop(sessions[own][0], None)
        found[own] += sum(so_far[place] for place in last.values())
    return found


def _sessions(runs: Sequence[Going]) -> list[tuple[int, float]]:
    """Return the first run of each run's session, and its metres up to the run."""
    found: list[tuple[int, float]] = []
    first, metres, last_s = 0, 0.0, None
    for place, (_, started_s, ended_s, _, distance_m) in enumerate(runs):
        if last_s is not None and started_s - last_s < _SESSION_GAP_S:
            metres += distance_m
        else:
            first, metres = place, distance_m
        found.append((first, metres))
        last_s = ended_s
    return found
