"""What each run adds up to with those before it, for pages that need no numpy.

The same sums as in `sync.analytics.history`, which draws the lines through the
dots that these place; a test holds the two together.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

WEEK = timedelta(days=7)
MONTH = timedelta(days=28)
SESSION_GAP = timedelta(hours=3)
LONGEST_DAY = timedelta(hours=36)


class Going(NamedTuple):
    """One run; `ended_at` is None when the runner hides the time of day."""

    id: int
    started_at: datetime
    ended_at: datetime | None
    local_day: date
    distance_m: float


def week_loads(runs: Sequence[Going]) -> list[float]:
    """Return the metres of the 7 local days up to and including each run."""
    order = sorted(
        range(len(runs)), key=lambda n: (runs[n].local_day, runs[n].started_at)
    )
    loads, first, total = [0.0] * len(runs), 0, 0.0
    for place in order:
        total += runs[place].distance_m
        while runs[order[first]].local_day <= runs[place].local_day - WEEK:
            total -= runs[order[first]].distance_m
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
            wait = runs[own].started_at - runs[place].started_at
            if timedelta(0) < wait < LONGEST_DAY:
                last[sessions[place][0]] = place
        last.pop(sessions[own][0], None)
        found[own] += sum(so_far[place] for place in last.values())
    return found


def _sessions(runs: Sequence[Going]) -> list[tuple[int, float]]:
    """Return the first run of each run's session, and its metres up to the run."""
    found: list[tuple[int, float]] = []
    for place, run in enumerate(runs):
        ended_at = runs[place - 1].ended_at if place else None
        if ended_at is not None and run.started_at - ended_at < SESSION_GAP:
            first, metres = found[-1]
            found.append((first, metres + run.distance_m))
        else:
            found.append((place, run.distance_m))
    return found
