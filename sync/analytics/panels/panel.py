"""A panel as a page draws it: groups, link, curve, and one finding."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from sync.analytics.sentences.catalogue import (
    Finding,
    LocalizedText,
    Unit,
    build_note,
)
from sync.analytics.sentences.milestones import PanelDecision, find_next_milestone
from sync.analytics.stats.curve import Curve
from sync.analytics.stats.groups import (
    MIN_GROUP_TO_SHOW,
    Difference,
    Mean,
    estimate_mean,
)
from sync.analytics.stats.random_delay import DelayContrast, DelaySlope
from sync.analytics.stats.rank_link import Link
from sync.analytics.stats.series import HALF_YEAR_DAYS, Flags, Floats, Interval, Ints
from sync.analytics.stats.shares import Share
from sync.language import gettext

MIN_FOR_NUMBERS = 15
MAX_CEILING_SHARE = 0.4
TOP_MOOD = 2
TOO_EARLY = "too_early"
# The ends of what is drawn: moods, answers from 0 to 4, and changes of mood.
MOOD_RANGE: Interval = (-2.0, 2.0)
LEVEL_RANGE: Interval = (0.0, 4.0)
CHANGE_RANGE: Interval = (-4.0, 4.0)

# Parts of what a panel counts: all of it, or one of two groups; what its sentence is
# about, which was decided some answers ago; of this, what lies in the range that the
# sentence names, what lies outside, and what was Good or Great in either.
RunSubset: TypeAlias = Literal[
    "all", "first", "second", "said", "inside", "good_inside", "outside", "good_outside"
]
ContributingRuns: TypeAlias = Mapping[RunSubset, Ints]


@dataclass(frozen=True, slots=True)
class Sides:
    """The names of two compared groups, in English; the first less the second."""

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class CodebookEntry:
    """The unit and the meaning of a panel's number in the files for study."""

    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The number of a comparison, with its 95 % interval on n_eff."""

    value: float
    n: int
    n_eff: float
    i95: Interval


@dataclass(frozen=True, slots=True)
class DelayGroup:
    """The questions that came after one drawn delay, set against the shortest one.

    `contrast` is None for a delay with too few answers.
    """

    hours: int
    asked_count: int
    answered_count: int
    contrast: DelayContrast | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values over time, shape (n,) each; `days` are `date.toordinal()`.

    `label` names the values in English; `is_distance` tells that they are metres.
    """

    label: str
    days: Ints
    values: Floats
    is_distance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Two series on one time axis: `upper` a line from 0 to `top`, `lower` bars.

    `answer_counts`, shape (n,), are the answers behind each value of `upper`.
    """

    upper: Series
    lower: Series
    top: float
    answer_counts: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """Moods along something, a dot each; `x`, `mood` and `days` have shape (n,).

    `label` names the axis in English; `days` are numbered as `History.answer_days`.
    """

    label: str
    x: Floats
    mood: Floats
    days: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a comparison draws; None where there is too little yet.

    `too_few` stands in for a finding before the first decision.  `means` maps a
    label to its group's mean, of 8 answers or more, `shares` to a share; the means lie
    in `value_range`.  `words_interval` decides about words: it is longer than those of
    `link` and `difference`, so that a sentence that claims nothing can be seen to be
    right.  `contributing_runs` maps a part of what is counted to the ids of its runs.
    """

    answer_count: int
    too_few: Finding
    remarks: tuple[LocalizedText, ...]
    means: Mapping[str, Mean] = field(default_factory=dict)
    value_range: Interval = MOOD_RANGE
    shares: Mapping[str, Share] = field(default_factory=dict)
    timeline: Timeline | None = None
    scatter: Scatter | None = None
    link: Link | None = None
    difference: Difference | None = None
    words_interval: Interval | None = None
    curve: Curve | None = None
    curve_by_run: Curve | None = None
    delays: tuple[DelayGroup, ...] = ()
    delay_slope: DelaySlope | None = None
    contributing_runs: ContributingRuns


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What a page shows of one panel.

    `verdict` is higher, lower, best, early, none, withdrawn or too_early.  Title,
    sentence, notes and labels are in the language active when they are read.  A panel
    that `is_picture` never has a verdict.  `question_keys` are those of the questions
    whose answers it uses besides mood.
    """

    name: str
    english_title: str
    is_exploratory: bool
    sides: Sides | None
    decision: PanelDecision | None
    unit: Unit
    finding: Finding
    drawing: Drawing
    is_picture: bool = False
    is_of_host: bool = False
    question_keys: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        return self.decision.outcome.verdict if self.decision else TOO_EARLY

    @property
    def title(self) -> str:
        return gettext(self.english_title)

    @property
    def sentence(self) -> str:
        return self.finding.render()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(remark.render(self.unit) for remark in self.drawing.remarks)

    @property
    def groups(self) -> dict[str, Mean]:
        return {gettext(label): mean for label, mean in self.drawing.means.items()}

    @property
    def shares(self) -> dict[str, Share]:
        return {gettext(label): share for label, share in self.drawing.shares.items()}

    @property
    def timeline(self) -> Timeline | None:
        return self.drawing.timeline

    @property
    def answer_count(self) -> int:
        return self.drawing.answer_count

    @property
    def link(self) -> Link | None:
        return self.drawing.link

    @property
    def difference(self) -> Difference | None:
        return self.drawing.difference

    @property
    def words_interval(self) -> Interval | None:
        return self.drawing.words_interval

    @property
    def curve(self) -> Curve | None:
        return self.drawing.curve

    @property
    def curve_by_run(self) -> Curve | None:
        return self.drawing.curve_by_run

    @property
    def delays(self) -> tuple[DelayGroup, ...]:
        return self.drawing.delays

    @property
    def delay_slope(self) -> DelaySlope | None:
        return self.drawing.delay_slope

    @property
    def contributing_runs(self) -> ContributingRuns:
        return self.drawing.contributing_runs

    @property
    def n_eff(self) -> float:
        estimate = self.link or self.difference
        return estimate.n_eff if estimate else float(self.answer_count)


def list_remarks(
    decision: PanelDecision | None,
    answer_count: int,
    days: Floats,
    *,
    words_interval: Interval | None = None,
) -> tuple[LocalizedText, ...]:
    """Return the remarks on a panel's decision and on the span of its answers.

    A decision stands while answers are added: where `words_interval`, that of today's
    answers, no longer agrees with it, a remark says so.
    """
    remarks: list[LocalizedText] = []
    if decision and words_interval:
        remarks += _list_changes(decision, words_interval)
    if decision and decision.revised_at:
        remarks.append(build_note("decided_again", day=decision.revised_at.date()))
    if decision:
        remarks.append(
            build_note("next_look", milestone=find_next_milestone(answer_count))
        )
    if answer_count >= MIN_FOR_NUMBERS and np.ptp(days) < HALF_YEAR_DAYS:
        remarks.append(build_note("season"))
    return tuple(remarks)


def _list_changes(
    decision: PanelDecision, words_interval: Interval
) -> Iterable[LocalizedText]:
    """Say that today's answers would decide otherwise than those decided from."""
    verdict = decision.outcome.verdict
    sign = {"higher": 1, "lower": -1, "none": 0}.get(verdict)
    if sign is None:
        return
    low, high = words_interval
    today = (low > 0) - (high < 0)
    if sign == 0 and today != 0:
        yield build_note("more_today", n=count_decided_answers(decision))
    elif sign != today:
        yield build_note("less_today", n=count_decided_answers(decision))


def list_ceiling_remarks(moods: Floats) -> tuple[LocalizedText, ...]:
    """Return a remark if so many answers are Great that better days cannot show."""
    if len(moods) < MIN_FOR_NUMBERS:
        return ()
    top_share = float((moods >= TOP_MOOD).mean())
    if top_share <= MAX_CEILING_SHARE:
        return ()
    return (build_note("ceiling", share=top_share),)


def estimate_group_means(
    display_groups: Mapping[str, Flags],
    values: Floats,
    days: Floats,
    *,
    min_count: int = MIN_GROUP_TO_SHOW,
) -> dict[str, Mean]:
    """Return the mean of each drawn group that has enough answers."""
    return {
        label: estimate_mean(values[flags], days[flags])
        for label, flags in display_groups.items()
        if np.count_nonzero(flags) >= min_count
    }


def count_decided_answers(decision: PanelDecision | None) -> int:
    """Return the number of answers that the decision rests on: the oldest ones."""
    count = decision.outcome.facts.get("n", 0) if decision else 0
    return count if isinstance(count, int) else 0
