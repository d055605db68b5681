"""The two kinds of comparison a panel makes, with the groups it draws."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sync.analytics.dataset.history import NO_RUNS, History
from sync.analytics.panels.questions import build_group_question, build_link_question
from sync.analytics.sentences.milestones import PanelQuestion
from sync.analytics.stats.rank_link import Z_EXPLORATORY
from sync.analytics.stats.series import Flags, Floats, Ints


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """Values in two groups that are compared, and the groups that are drawn.

    `run_ids` are the runs that the values are about; NO_RUN for a check-in's.
    """

    name: str
    values: Floats
    in_first: Flags
    days: Floats
    run_ids: Ints
    display_groups: Mapping[str, Flags] = field(default_factory=dict)
    q: float = Z_EXPLORATORY

    def build_question(self) -> PanelQuestion:
        return build_group_question(
            self.name, self.values, self.in_first, self.days, q=self.q
        )


@dataclass(frozen=True, slots=True)
class PairComparison:
    """Values that may move together, and the groups that are drawn.

    `run_ids` are the runs that they are about; of check-ins and weeks there are none.
    """

    name: str
    x: Floats
    y: Floats
    days: Floats
    run_ids: Ints = field(default_factory=lambda: NO_RUNS)
    display_groups: Mapping[str, Flags] = field(default_factory=dict)
    q: float = Z_EXPLORATORY
    is_mood: bool = True  # y, and not what else was asked
    observation_kind: str = (
        "answers"  # what one pair is: the end of a "too_few" note's key
    )

    def build_question(self) -> PanelQuestion:
        return build_link_question(self.name, self.x, self.y, self.days, q=self.q)


def map_to_answers(
    history: History, column: Floats | Ints | Flags, *, missing: float = np.nan
) -> Floats:
    """Look up a column of each answer's run, shape (m,); `missing` without one."""
    values = np.append(column.astype(np.float64), missing)[history.answers.run]
    return np.asarray(values, dtype=np.float64)


def compare_after_runs(
    history: History,
    name: str,
    in_first: Flags,
    display_groups: Mapping[str, Flags],
    *,
    valid: Flags | None = None,
) -> GroupComparison:
    """Compare mood within six hours of a run between two kinds of run."""
    mask = history.is_after_run if valid is None else history.is_after_run & valid
    return GroupComparison(
        name=name,
        values=history.answers.mood[mask],
        in_first=in_first[mask],
        days=history.answer_days[mask],
        run_ids=history.run_ids[mask],
        display_groups={label: flags[mask] for label, flags in display_groups.items()},
    )


def pair_with_mood(
    history: History,
    name: str,
    x: Floats,
    mask: Flags,
    *,
    display_groups: Mapping[str, Flags] | None = None,
) -> PairComparison:
    """Set mood against x where `used`; all of shape (m,)."""
    return PairComparison(
        name=name,
        x=x[mask],
        y=history.answers.mood[mask],
        days=history.answer_days[mask],
        run_ids=history.run_ids[mask],
        display_groups={
            label: flags[mask] for label, flags in (display_groups or {}).items()
        },
    )
