"""Which runs stand behind a number that a page shows: just those that it counts."""

from collections.abc import Mapping
from math import inf
from typing import TypeAlias

import numpy as np

from sync.analytics.comparisons import Groups, Pairs
from sync.analytics.history import NO_RUN
from sync.analytics.milestones import Decided
from sync.analytics.questions import Mileage
from sync.analytics.sentences import METRES, Fact, Unit
from sync.analytics.series import Floats, Ints, in_time_order
from sync.analytics.shape import GOOD

# Parts of what a panel counts: all of it, or one of two groups; the answers that
# stood behind its sentence when that was decided; of these, what lies in the range
# that the sentence names, and what was Good or Great there.
ALL, FIRST, SECOND = "all", "first", "second"
SAID, RANGE, GOOD_IN_RANGE = "said", "range", "good"
Behind: TypeAlias = Mapping[str, Ints]

_DIGITS = 6  # of kilometres or miles, past which two ways to reckon may differ


def behind_groups(panel: Groups, decided: Decided | None) -> Behind:
    """Return the ids of the runs in either group, and behind the sentence."""
    ordered = in_time_order(
        panel.days, panel.in_first.astype(float), panel.values, _numbers(panel.run_ids)
    )
    return {
        FIRST: _runs(panel.run_ids[panel.in_first]),
        SECOND: _runs(panel.run_ids[~panel.in_first]),
        SAID: _runs(ordered[-1][: _many(decided)]),
    }


def behind_pairs(panel: Pairs) -> Behind:
    return {ALL: _runs(panel.run_ids)}


def behind_mileage(data: Mileage, decided: Decided | None, unit: Unit) -> Behind:
    """Return the ids of the runs behind the headline, and in the range it names."""
    many = _many(decided)
    _, _, load_m, mood, run_ids = (
        column[:many]
        for column in in_time_order(
            data.days, data.distance_m, data.load_m, data.mood, _numbers(data.run_ids)
        )
    )
    facts = decided.finding.facts if decided else {}
    low, high = (_amount(facts.get(name), unit) for name in ("low_m", "high_m"))
    mileage = np.round(load_m / METRES[unit], _DIGITS)
    inside = (mileage >= low) & (mileage < high)
    return {
        ALL: _runs(data.run_ids),
        SAID: _runs(run_ids),
        RANGE: _runs(run_ids[inside]),
        GOOD_IN_RANGE: _runs(run_ids[inside & (mood >= GOOD)]),
    }


def _many(decided: Decided | None) -> int:
    """Return how many answers the sentence rests on: the oldest ones."""
    many = decided.finding.facts.get("n", 0) if decided else 0
    return many if isinstance(many, int) else 0


def _amount(metres: Fact | None, unit: Unit) -> float:
    if not isinstance(metres, int | float):
        return inf
    return round(metres / METRES[unit], _DIGITS)


def _numbers(run_ids: Ints) -> Floats:
    return run_ids.astype(np.float64)


def _runs(run_ids: Ints | Floats) -> Ints:
    return np.asarray(run_ids[run_ids != NO_RUN], dtype=np.int64)
