"""The two kinds of comparison a panel makes, with the groups it draws."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sync.analytics.dataset.history import NO_RUNS, History
from sync.analytics.panels.questions import group_question, link_question
from sync.analytics.sentences.milestones import Question
from sync.analytics.stats.rank_link import EXPLORING
from sync.analytics.stats.series import Flags, Floats, Ints


@dataclass(frozen=True, slots=True)
class Groups:
    """Values in two groups that are compared, and the groups that are drawn.

    `run_ids` are the runs that the values are about; NO_RUN for a check-in's.
    """

    name: str
    values: Floats
    in_first: Flags
    days: Floats
    run_ids: Ints
    drawn: Mapping[str, Flags] = field(default_factory=dict)
    q: float = EXPLORING

    def question(self) -> Question:
        return group_question(
            self.name, self.values, self.in_first, self.days, q=self.q
        )


@dataclass(frozen=True, slots=True)
class Pairs:
    """Values that may move together, and the groups that are drawn.

    `run_ids` are the runs that they are about; of check-ins and weeks there are none.
    """

    name: str
    x: Floats
    y: Floats
    days: Floats
    run_ids: Ints = field(default_factory=lambda: NO_RUNS)
    drawn: Mapping[str, Flags] = field(default_factory=dict)
    q: float = EXPLORING
    is_mood: bool = True  # y, and not what else was asked
    things: str = "answers"  # what one pair is: the end of a "too_few" note's key

    def question(self) -> Question:
        return link_question(self.name, self.x, self.y, self.days, q=self.q)


def of_run(
    history: History, column: Floats | Ints | Flags, *, missing: float = np.nan
) -> Floats:
    """Look up a column of each answer's run, shape (m,); `missing` without one."""
    found = np.append(column.astype(np.float64), missing)[history.answers.run]
    return np.asarray(found, dtype=np.float64)


def groups_after_runs(
    history: History,
    name: str,
    in_first: Flags,
    drawn: Mapping[str, Flags],
    *,
    known: Flags | None = None,
) -> Groups:
    """Compare mood within six hours of a run between two kinds of run."""
    used = history.after_run if known is None else history.after_run & known
    return Groups(
        name=name,
        values=history.answers.mood[used],
        in_first=in_first[used],
        days=history.answer_days[used],
        run_ids=history.run_ids[used],
        drawn={label: flags[used] for label, flags in drawn.items()},
    )


def pairs_with_mood(
    history: History,
    name: str,
    x: Floats,
    used: Flags,
    *,
    drawn: Mapping[str, Flags] | None = None,
) -> Pairs:
    """Set mood against x where `used`; all of shape (m,)."""
    return Pairs(
        name=name,
        x=x[used],
        y=history.answers.mood[used],
        days=history.answer_days[used],
        run_ids=history.run_ids[used],
        drawn={label: flags[used] for label, flags in (drawn or {}).items()},
    )
