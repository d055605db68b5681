"""Which runs stand behind a number that a page shows: just those that it counts."""

from collections.abc import Mapping
from math import inf
from typing import Literal, TypeAlias

import numpy as np

from sync.analytics.dataset.history import NO_RUN
from sync.analytics.panels.comparisons import GroupComparison, PairComparison
from sync.analytics.panels.questions import MileageData
from sync.analytics.sentences.localized_text import METRES_PER_UNIT, Fact, Unit
from sync.analytics.sentences.milestones import PanelDecision
from sync.analytics.stats.series import Floats, Ints, sort_by_time
from sync.analytics.stats.shape import GOOD_MOOD

# Parts of what a panel counts: all of it, or one of two groups; what its sentence is
# about, which was decided some answers ago; of this, what lies in the range that the
# sentence names, what lies outside, and what was Good or Great in either.
RunSubset: TypeAlias = Literal[
    "all", "first", "second", "said", "inside", "good_inside", "outside", "good_outside"
]
ContributingRuns: TypeAlias = Mapping[RunSubset, Ints]

_ROUNDING_DIGITS = 6  # of kilometres or miles, past which two ways to reckon may differ


def collect_group_runs(
    panel: GroupComparison, decision: PanelDecision | None
) -> ContributingRuns:
    """Return the ids of the runs in either group, and behind the sentence."""
    sorted_columns = sort_by_time(
        panel.days,
        panel.in_first.astype(float),
        panel.values,
        _as_floats(panel.run_ids),
    )
    return {
        "first": _known_run_ids(panel.run_ids[panel.in_first]),
        "second": _known_run_ids(panel.run_ids[~panel.in_first]),
        "said": _known_run_ids(sorted_columns[-1][: _count_decided_answers(decision)]),
    }


def collect_pair_runs(panel: PairComparison) -> ContributingRuns:
    return {"all": _known_run_ids(panel.run_ids)}


def collect_mileage_runs(
    data: MileageData, decision: PanelDecision | None, unit: Unit
) -> ContributingRuns:
    """Return the ids of the runs behind the headline and its percentages."""
    n_answers = _count_decided_answers(decision)
    _, _, load_m, mood, run_ids = (
        column[:n_answers]
        for column in sort_by_time(
            data.days, data.distance_m, data.load_m, data.mood, _as_floats(data.run_ids)
        )
    )
    facts = decision.finding.facts if decision else {}
    low, high = (_to_unit(facts.get(name), unit) for name in ("low_m", "high_m"))
    mileage = np.round(load_m / METRES_PER_UNIT[unit], _ROUNDING_DIGITS)
    is_inside, is_good = (mileage >= low) & (mileage < high), mood >= GOOD_MOOD
    contributing_runs: dict[RunSubset, Ints] = {
        "all": _known_run_ids(data.run_ids),
        "said": _known_run_ids(run_ids),
    }
    if is_inside.any():
        contributing_runs["inside"] = _known_run_ids(run_ids[is_inside])
        contributing_runs["good_inside"] = _known_run_ids(run_ids[is_inside & is_good])
        contributing_runs["outside"] = _known_run_ids(run_ids[~is_inside])
        contributing_runs["good_outside"] = _known_run_ids(
            run_ids[~is_inside & is_good]
        )
    return contributing_runs


def _count_decided_answers(decision: PanelDecision | None) -> int:
    """Return how many answers the sentence rests on: the oldest ones."""
    count = decision.finding.facts.get("n", 0) if decision else 0
    return count if isinstance(count, int) else 0


def _to_unit(metres: Fact | None, unit: Unit) -> float:
    if not isinstance(metres, int | float):
        return inf
    return round(metres / METRES_PER_UNIT[unit], _ROUNDING_DIGITS)


def _as_floats(run_ids: Ints) -> Floats:
    return run_ids.astype(np.float64)


def _known_run_ids(run_ids: Ints | Floats) -> Ints:
    return np.asarray(run_ids[run_ids != NO_RUN], dtype=np.int64)
