"""What the file of a panel declares, and the comparisons that it may make.

A panel's file imports everything of the figures from here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from sync.analytics.dataset.history import (
    FOCUS_KEYS,
    HOURS_PER_DAY,
    INDOORS,
    NO_RUN,
    NO_RUNS,
    STREET,
    TRAIL,
    WITH_OTHERS,
    History,
    select_known_runs,
)
from sync.analytics.dataset.weeks import MONTH_DAYS, count_from_monday
from sync.analytics.panels.panel import (
    LEVEL_RANGE,
    MIN_FOR_NUMBERS,
    MOOD_RANGE,
    CodebookEntry,
    Drawing,
    Estimate,
    Panel,
    Scatter,
    Sides,
    Timeline,
    count_decided_answers,
    estimate_group_means,
    list_ceiling_remarks,
    list_remarks,
)
from sync.analytics.sentences.catalogue import (
    NOTES,
    WITHDRAWN_SENTENCE,
    Fact,
    Finding,
    LocalizedText,
    Sentence,
    Unit,
    build_note,
)
from sync.analytics.sentences.milestones import (
    FIRST_MILESTONE,
    WITHDRAWN,
    Outcome,
    PanelDecision,
    PanelQuestion,
)
from sync.analytics.stats.groups import (
    MIN_GROUP_TO_CLAIM,
    MIN_GROUP_TO_SHOW,
    Difference,
    estimate_difference,
)
from sync.analytics.stats.rank_link import Link, link
from sync.analytics.stats.series import (
    Z_CLAIM,
    Z_EXPLORATORY,
    Flags,
    Floats,
    Ints,
    sort_by_time,
)
from sync.language import translatable

__all__ = [
    "FOCUS_KEYS",
    "INDOORS",
    "MONTH_DAYS",
    "NO_RUN",
    "STREET",
    "TRAIL",
    "WITH_OTHERS",
    "CodebookEntry",
    "Comparison",
    "Estimate",
    "Flags",
    "Floats",
    "GroupComparison",
    "History",
    "Ints",
    "PairComparison",
    "PanelDefinition",
    "Sentence",
    "Sides",
    "compare_after_runs",
    "compare_answers",
    "compare_with_check_ins",
    "count_from_monday",
    "pair_with_mood",
]


class Comparison(Protocol):
    """The values that one panel compares, of one runner."""

    def build_question(self, name: str) -> PanelQuestion:
        """Return the question that is decided at milestones."""

    def draw(self, decision: PanelDecision | None) -> Drawing:
        """Return what a page draws, given the standing decision."""

    def estimate(self) -> Estimate:
        """Return the number of all answers of today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelDefinition:
    """One panel: its name, its texts and the values that it compares.

    name       stands in addresses and stored decisions; never change it
    position   the place among the panels, ascending, after those of `is_fixed`
    title      English, translatable
    sentences  its sentence for each verdict: higher, lower, none; none for a picture
    compare    takes the compared values from a history; None for no panel
    is_fixed   whether it is one of the questions that are fixed in advance
    sides      the names of the two groups; None for pairs
    codebook   its line in the files for study; None leaves it out of them
    questions  keys of the questions whose answers it uses besides mood
    is_on_dashboard  whether the dashboard lists it; `/questions` lists every panel
    is_of_host  whether a host of an instance added the question that it is about

    Without sentences it is a picture, and nothing is ever decided about it.
    """

    name: str
    position: int
    title: str
    sentences: Mapping[str, Sentence]
    compare: Callable[[History], Comparison | None]
    is_fixed: bool = False
    sides: Sides | None = None
    codebook: CodebookEntry | None = None
    questions: tuple[str, ...] = ()
    is_on_dashboard: bool = True
    is_of_host: bool = False

    @property
    def is_picture(self) -> bool:
        return not self.sentences

    def describe(self, outcome: Outcome, unit: Unit = "km") -> Finding:
        """Return the words for a stored outcome."""
        if outcome == WITHDRAWN:
            return Finding(WITHDRAWN_SENTENCE)
        return Finding(self.sentences[outcome.verdict], outcome.facts, unit)

    def draw(
        self, comparison: Comparison, decision: PanelDecision | None, unit: Unit
    ) -> Panel:
        """Return the panel as a page shows it."""
        drawing = comparison.draw(decision)
        if self.is_fixed:
            drawing = replace(
                drawing, remarks=(*drawing.remarks, *list_fairness_remarks())
            )
        return Panel(
            name=self.name,
            english_title=self.title,
            is_exploratory=not self.is_fixed,
            sides=self.sides,
            decision=decision,
            unit=unit,
            finding=self.describe(decision.outcome, unit)
            if decision
            else drawing.too_few,
            drawing=drawing,
            is_picture=self.is_picture,
            is_of_host=self.is_of_host,
            question_keys=self.questions,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupComparison:
    """Values in two groups that are compared, and the groups that are drawn.

    `values`, `in_first`, `days` and `run_ids` have shape (n,); `run_ids` are the runs
    that the values are about, NO_RUN for a check-in's.  `days` are those of
    `History.answer_days`, or whole days by `count_from_monday`: weekday and time of
    day are taken out by them.  `display_groups` maps English labels to flags of shape
    (n,).  `q` is the number of standard errors that words need, `is_mood` tells whether
    `values` are moods, `min_to_show` is the size of a group that is drawn.
    `is_about_hours` tells that the groups are times of day, so that the hour stays in.
    """

    values: Floats
    in_first: Flags
    days: Floats
    run_ids: Ints
    display_groups: Mapping[str, Flags] = field(default_factory=dict)
    q: float = Z_EXPLORATORY
    is_mood: bool = True
    min_to_show: int = MIN_GROUP_TO_SHOW
    is_about_hours: bool = False

    def build_question(self, name: str) -> PanelQuestion:
        """Ask whether the values differ between the two groups.

        It counts twice the smaller group, so that the first look comes with 15
        answers in either.
        """
        times, label, series = sort_by_time(
            self.days, self.in_first.astype(float), self.values
        )
        first = np.cumsum(label > 0)
        second = np.arange(1, len(label) + 1) - first

        def evaluate(n_rows: int) -> Outcome:
            estimate = self._estimate(series[:n_rows], label[:n_rows], times[:n_rows])
            verdict = name_sign(estimate.difference) if estimate.is_claim else "none"
            return Outcome(
                f"{name}.{verdict}",
                {
                    "n": estimate.n_first + estimate.n_second,
                    "n_first": estimate.n_first,
                    "n_second": estimate.n_second,
                    "first": round(estimate.mean_first, 3),
                    "second": round(estimate.mean_second, 3),
                },
            )

        return PanelQuestion(
            name=name,
            cumulative_answers=np.asarray(
                2 * np.minimum(first, second), dtype=np.int64
            ),
            rows=np.column_stack((times, label, series)),
            evaluate=evaluate,
        )

    def draw(self, decision: PanelDecision | None) -> Drawing:
        """Draw two or more groups side by side."""
        estimate = self._estimate(self.values, self.in_first, self.days)
        smaller_count = min(estimate.n_first, estimate.n_second)
        is_shown = smaller_count >= self.min_to_show
        needed = (
            MIN_GROUP_TO_SHOW
            if smaller_count < MIN_GROUP_TO_SHOW
            else MIN_GROUP_TO_CLAIM
        )
        ids_by_time = sort_by_time(
            self.days,
            self.in_first.astype(float),
            self.values,
            self.run_ids.astype(np.float64),
        )[-1]
        return Drawing(
            answer_count=len(self.days),
            too_few=Finding(
                Sentence(NOTES["too_few_each"]), {"n": smaller_count, "needed": needed}
            ),
            remarks=(
                *list_remarks(
                    decision,
                    2 * smaller_count,
                    self.days,
                    words_interval=estimate.words if is_shown else None,
                ),
                *(list_ceiling_remarks(self.values) if self.is_mood else ()),
            ),
            means=estimate_group_means(
                self.display_groups,
                self.values,
                self.days,
                min_count=self.min_to_show,
            ),
            value_range=MOOD_RANGE if self.is_mood else LEVEL_RANGE,
            difference=estimate if is_shown else None,
            words_interval=estimate.words if is_shown else None,
            contributing_runs={
                "first": select_known_runs(self.run_ids[self.in_first]),
                "second": select_known_runs(self.run_ids[~self.in_first]),
                "said": select_known_runs(
                    ids_by_time[: count_decided_answers(decision)]
                ),
            },
        )

    def estimate(self) -> Estimate:
        result = self._estimate(self.values, self.in_first, self.days)
        n = result.n_first + result.n_second
        return Estimate(result.difference, n, result.n_eff, result.i95)

    def _estimate(
        self, values: Floats, in_first: Flags | Floats, days: Floats
    ) -> Difference:
        hours = None if self.is_about_hours else find_hours(days)
        return estimate_difference(values, in_first, days, q=self.q, hours=hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairComparison:
    """Values that may move together, and the groups that are drawn.

    `x`, `y` and `days` have shape (n,); `days` are those of `GroupComparison`.
    `run_ids` are the runs that they are about, none for check-ins and weeks.
    `display_groups` maps English labels to flags of shape (n,).  `is_mood` tells
    whether y is mood, `observation_kind` the kind of one pair: the end of a "too_few"
    note's key; `timeline` draws both over time, and
    `scatter_label` names, in English, the axis of a dot for each pair.
    """

    x: Floats
    y: Floats
    days: Floats
    run_ids: Ints = field(default_factory=lambda: NO_RUNS)
    display_groups: Mapping[str, Flags] = field(default_factory=dict)
    q: float = Z_EXPLORATORY
    is_mood: bool = True
    observation_kind: str = "answers"
    timeline: Timeline | None = None
    scatter_label: str = ""

    def build_question(self, name: str) -> PanelQuestion:
        """Ask whether x and y move together."""
        times, xs, ys = sort_by_time(self.days, self.x, self.y)

        def evaluate(n_rows: int) -> Outcome:
            estimate = estimate_link(xs[:n_rows], ys[:n_rows], times[:n_rows], self.q)
            is_certain = estimate.is_certain_at(self.q)
            verdict = name_sign(estimate.rho) if is_certain else "none"
            return Outcome(f"{name}.{verdict}", build_link_facts(estimate, self.q))

        return PanelQuestion(
            name=name,
            cumulative_answers=np.arange(1, len(times) + 1, dtype=np.int64),
            rows=np.column_stack((times, xs, ys)),
            evaluate=evaluate,
        )

    def draw(self, decision: PanelDecision | None) -> Drawing:
        """Draw groups along something that may move together with mood."""
        n = len(self.days)
        estimate = (
            estimate_link(self.x, self.y, self.days, self.q)
            if n >= MIN_FOR_NUMBERS
            else None
        )
        words_interval = estimate.find_words_interval(self.q) if estimate else None
        return Drawing(
            answer_count=n,
            too_few=build_too_few(self.observation_kind, n),
            remarks=(
                *list_remarks(decision, n, self.days, words_interval=words_interval),
                *(list_ceiling_remarks(self.y) if self.is_mood else ()),
            ),
            means=estimate_group_means(self.display_groups, self.y, self.days),
            value_range=MOOD_RANGE if self.is_mood else LEVEL_RANGE,
            timeline=self.timeline if n >= MIN_FOR_NUMBERS else None,
            scatter=Scatter(
                label=self.scatter_label, x=self.x, mood=self.y, days=self.days
            )
            if self.scatter_label and n
            else None,
            link=estimate,
            words_interval=words_interval,
            contributing_runs={"all": select_known_runs(self.run_ids)},
        )

    def estimate(self) -> Estimate:
        return summarize_link(estimate_link(self.x, self.y, self.days, self.q))


def compare_answers(
    history: History,
    values: Floats,
    in_first: Flags,
    mask: Flags,
    display_groups: Mapping[str, Flags],
) -> GroupComparison:
    """Compare `values`, no moods, of two kinds of answers where `mask` is true.

    All have shape (m,).
    """
    return GroupComparison(
        values=values[mask],
        in_first=in_first[mask],
        days=history.answer_days[mask],
        run_ids=history.run_ids[mask],
        display_groups={label: flags[mask] for label, flags in display_groups.items()},
        is_mood=False,
    )


def compare_after_runs(
    history: History,
    in_first: Flags,
    display_groups: Mapping[str, Flags],
    *,
    valid: Flags | None = None,
    min_to_show: int = MIN_GROUP_TO_SHOW,
) -> GroupComparison:
    """Compare mood within six hours of a run between two kinds of run.

    `in_first`, `valid` and the groups have shape (m,), a flag for each answer.
    """
    mask = history.is_after_run if valid is None else history.is_after_run & valid
    comparison = compare_answers(
        history, history.answers.mood, in_first, mask, display_groups
    )
    return replace(comparison, is_mood=True, min_to_show=min_to_show)


def compare_with_check_ins(
    history: History, values: Floats, *, is_mood: bool = True
) -> GroupComparison:
    """Compare `values`, shape (m,), within six hours of a run with check-ins.

    It is for questions that are fixed in advance.
    """
    is_after_run, is_rest_day = history.is_after_run, history.is_rest_day
    comparison = compare_answers(
        history,
        values,
        is_after_run,
        (is_after_run | is_rest_day) & ~np.isnan(values),
        {
            translatable("after runs"): is_after_run,
            translatable("check-ins"): is_rest_day,
        },
    )
    return replace(comparison, q=Z_CLAIM, is_mood=is_mood)


def pair_with_mood(
    history: History,
    x: Floats,
    mask: Flags,
    *,
    display_groups: Mapping[str, Flags] | None = None,
    scatter_label: str = "",
) -> PairComparison:
    """Pair x with mood where `mask` is true; all of shape (m,)."""
    return PairComparison(
        x=x[mask],
        y=history.answers.mood[mask],
        days=history.answer_days[mask],
        run_ids=history.run_ids[mask],
        display_groups={
            label: flags[mask] for label, flags in (display_groups or {}).items()
        },
        scatter_label=scatter_label,
    )


def list_fairness_remarks() -> tuple[LocalizedText, ...]:
    """Say what every sentence allows for, and what none can."""
    return (build_note("allowed_for"), build_note("not_allowed_for"))


def name_sign(value: float) -> str:
    return "higher" if value > 0 else "lower"


def build_link_facts(estimate: Link, q: float) -> Mapping[str, Fact]:
    """Return the facts of a sentence about a link that words need `q` for."""
    low, high = estimate.find_words_interval(q)
    return {"n": estimate.n, "rho_low": round(low, 3), "rho_high": round(high, 3)}


def find_hours(days: Floats) -> Floats:
    """Return the hour of the day, 0…24, that is the fraction of each of `days`, (n,).

    Whole days have the same hour, so that none is taken out of weeks.
    """
    return HOURS_PER_DAY * (days - np.floor(days))


def estimate_link(x: Floats, y: Floats, days: Floats, q: float) -> Link:
    """Estimate the link of a panel, weekday and time of day taken out."""
    return link(x, y, days, q=q, hours=find_hours(days))


def summarize_link(result: Link) -> Estimate:
    return Estimate(result.rho, result.n, result.n_eff, result.i95)


def build_too_few(observation_kind: str, answer_count: int) -> Finding:
    """Say how many pairs are missing for numbers, or for a first decision."""
    needed = MIN_FOR_NUMBERS if answer_count < MIN_FOR_NUMBERS else FIRST_MILESTONE
    sentence = Sentence(NOTES[f"too_few.{observation_kind}"])
    return Finding(sentence, {"n": answer_count, "needed": needed})
