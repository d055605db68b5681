"""Which runs stand behind a number that a page shows: just those that it counts."""

from collections.abc import Mapping
from math import inf
from typing import Literal, TypeAlias

import numpy as np

from sync.analytics.dataset.history import NO_RUN
from sync.analytics.panels.comparisons import Groups, Pairs
from sync.analytics.panels.questions import Mileage
from sync.analytics.sentences.localized_text import METRES, Fact, Unit
from sync.analytics.sentences.milestones import Decided
from sync.analytics.stats.series import Floats, Ints, in_time_order
from sync.analytics.stats.shape import GOOD

# Parts of what a panel counts: all of it, or one of two groups; what its sentence is
# about, which was decided some answers ago; of this, what lies in the range that the
# sentence names, what lies outside, and what was Good or Great in either.
Part: TypeAlias = Literal[
    "all", "first", "second", "said", "inside", "good_inside", "outside", "good_outside"
]
Behind: TypeAlias = Mapping[Part, Ints]

_DIGITS = 6  # of kilometres or miles, past which two ways to reckon may differ


def behind_groups(panel: Groups, decided: Decided | None) -> Behind:
    """Return the ids of the runs in either group, and behind the sentence."""
    ordered = in_time_order(
        panel.days, panel.in_first.astype(float), panel.values, _numbers(panel.run_ids)
    )
    return {
        "first": _runs(panel.run_ids[panel.in_first]),
        "second": _runs(panel.run_ids[~panel.in_first]),
        "said": _runs(ordered[-1][: _many(decided)]),
    }


def behind_pairs(panel: Pairs) -> Behind:
    return {"all": _runs(panel.run_ids)}


def behind_mileage(data: Mileage, decided: Decided | None, unit: Unit) -> Behind:
    """Return the ids of the runs behind the headline and its percentages."""
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
    inside, good = (mileage >= low) & (mileage < high), mood >= GOOD
    behind: dict[Part, Ints] = {"all": _runs(data.run_ids), "said": _runs(run_ids)}
    if inside.any():
        behind["inside"] = _runs(run_ids[inside])
        behind["good_inside"] = _runs(run_ids[inside & good])
        behind["outside"] = _runs(run_ids[~inside])
        behind["good_outside"] = _runs(run_ids[~inside & good])
    return behind


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
