"""One panel as a page draws it: points, curve, groups, and one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from sync.analytics.dataset.loads import find_week_starts
from sync.analytics.panels.comparisons import GroupComparison, PairComparison
from sync.analytics.panels.contributing_runs import (
    ContributingRuns,
    collect_group_runs,
    collect_mileage_runs,
    collect_pair_runs,
)
from sync.analytics.panels.questions import MileageData
from sync.analytics.sentences.localized_text import (
    METRES_PER_UNIT,
    TITLES,
    LocalizedText,
    Unit,
    build_note,
)
from sync.analytics.sentences.milestones import (
    FIRST_MILESTONE,
    PanelDecision,
    find_next_milestone,
)
from sync.analytics.stats.curve import Curve, compute_median_slope, fit_curve
from sync.analytics.stats.groups import (
    MIN_GROUP_TO_CLAIM,
    MIN_GROUP_TO_SHOW,
    Difference,
    Mean,
    estimate_difference,
    estimate_mean,
)
from sync.analytics.stats.rank_link import Link, link
from sync.analytics.stats.series import Flags, Floats
from sync.language import gettext

MIN_FOR_NUMBERS = 15
MIN_RACES = 5
MAX_CEILING_SHARE = 0.4
SLOPE_STEP, MIN_SLOPE = (
    5,
    0.05,
)  # kilometres or miles; steps of mood that would be told as none
TOP_MOOD = 2
HALF_YEAR_DAYS = 182
TOO_EARLY = "too_early"


@dataclass(frozen=True, slots=True)
class Panel:
    """What to draw and the one sentence; None where there is too little yet.

    `verdict` is higher, lower, best, early, none, withdrawn or too_early.
    `groups` maps a label to its mean with interval, of 8 answers or more; `behind`
    a part of what is counted to its runs.
    Title, sentence, notes and labels are in the language spoken when they are read.
    """

    name: str
    is_exploratory: bool
    verdict: str
    localized_sentence: LocalizedText
    remarks: tuple[LocalizedText, ...]
    answer_count: int
    decision: PanelDecision | None
    means: Mapping[str, Mean]
    link: Link | None = None
    difference: Difference | None = None
    curve: Curve | None = None
    contributing_runs: ContributingRuns = field(default_factory=dict)

    @property
    def title(self) -> str:
        return gettext(TITLES[self.name])

    @property
    def sentence(self) -> str:
        return self.localized_sentence.render()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(remark.render() for remark in self.remarks)

    @property
    def groups(self) -> dict[str, Mean]:
        return {gettext(label): group_mean for label, group_mean in self.means.items()}

    @property
    def n_eff(self) -> float:
        estimate = self.link or self.difference
        return estimate.n_eff if estimate else float(self.answer_count)


def build_groups_panel(
    comparison: GroupComparison, decision: PanelDecision | None, unit: Unit
) -> Panel:
    """Draw two or more groups side by side."""
    estimate = estimate_difference(
        comparison.values, comparison.in_first, comparison.days, q=comparison.q
    )
    min_count = MIN_RACES if comparison.name == "race" else MIN_GROUP_TO_SHOW
    is_shown = min(estimate.n_first, estimate.n_second) >= min_count
    answer_count = 2 * min(estimate.n_first, estimate.n_second)
    return Panel(
        name=comparison.name,
        is_exploratory=comparison.name not in {"after_runs", "stress"},
        verdict=get_verdict(decision),
        localized_sentence=_choose_groups_sentence(decision, answer_count // 2, unit),
        remarks=(
            *list_remarks(decision, answer_count, comparison.days),
            *(
                ()
                if comparison.name == "stress"
                else list_ceiling_remarks(comparison.values)
            ),
        ),
        answer_count=estimate.n_first + estimate.n_second,
        decision=decision,
        means=estimate_group_means(
            comparison.display_groups,
            comparison.values,
            comparison.days,
            min_count=min_count,
        ),
        difference=estimate if is_shown else None,
        contributing_runs=collect_group_runs(comparison, decision),
    )


def build_pairs_panel(
    comparison: PairComparison, decision: PanelDecision | None, unit: Unit
) -> Panel:
    """Draw groups along something that may move together with mood."""
    n = len(comparison.days)
    return Panel(
        name=comparison.name,
        is_exploratory=True,
        verdict=get_verdict(decision),
        localized_sentence=choose_sentence(
            decision, n, comparison.observation_kind, unit
        ),
        remarks=(
            *list_remarks(decision, n, comparison.days),
            *(list_ceiling_remarks(comparison.y) if comparison.is_mood else ()),
        ),
        answer_count=n,
        decision=decision,
        means=estimate_group_means(
            comparison.display_groups, comparison.y, comparison.days
        ),
        link=link(comparison.x, comparison.y, comparison.days)
        if n >= MIN_FOR_NUMBERS
        else None,
        contributing_runs=collect_pair_runs(comparison),
    )


def build_mileage_panel(
    data: MileageData, decision: PanelDecision | None, unit: Unit
) -> Panel:
    """Draw mood along the distance of the seven days up to each run.

    The link is the question's own: with the distance of each run.
    """
    n = len(data.days)
    return Panel(
        name="mileage",
        is_exploratory=False,
        verdict=get_verdict(decision),
        localized_sentence=choose_sentence(decision, n, "runs", unit),
        remarks=(
            *list_remarks(decision, n, data.days),
            *list_slope_remarks(decision, data, unit),
            *list_ceiling_remarks(data.mood),
            build_note("races_out"),
            build_note("goes_together"),
        ),
        answer_count=n,
        decision=decision,
        means={},
        link=(
            link(data.distance_m, data.mood, data.days)
            if n >= MIN_FOR_NUMBERS
            else None
        ),
        curve=_fit_mileage_curve(data.load_m, data, unit),
        contributing_runs=collect_mileage_runs(data, decision, unit),
    )


def redraw_by_run_distance(panel: Panel, data: MileageData, unit: Unit) -> Panel:
    """Draw the same question along the distance of each run itself."""
    return replace(
        panel,
        curve=_fit_mileage_curve(data.distance_m, data, unit),
        contributing_runs={},
    )


def _fit_mileage_curve(metres: Floats, data: MileageData, unit: Unit) -> Curve | None:
    return fit_curve(
        metres / METRES_PER_UNIT[unit], data.mood, find_week_starts(data.days)
    )


def get_verdict(decision: PanelDecision | None) -> str:
    return decision.finding.verdict if decision else TOO_EARLY


def choose_sentence(
    decision: PanelDecision | None, answer_count: int, observation_kind: str, unit: Unit
) -> LocalizedText:
    """Say what stands, or how much is missing for a first look."""
    if decision is not None:
        return decision.finding.localize(unit)
    needed = MIN_FOR_NUMBERS if answer_count < MIN_FOR_NUMBERS else FIRST_MILESTONE
    return build_note(f"too_few.{observation_kind}", n=answer_count, needed=needed)


def _choose_groups_sentence(
    decision: PanelDecision | None, smaller_count: int, unit: Unit
) -> LocalizedText:
    if decision is not None:
        return decision.finding.localize(unit)
    needed = (
        MIN_GROUP_TO_SHOW if smaller_count < MIN_GROUP_TO_SHOW else MIN_GROUP_TO_CLAIM
    )
    return build_note("too_few_each", n=smaller_count, needed=needed)


def list_remarks(
    decision: PanelDecision | None, answer_count: int, days: Floats
) -> tuple[LocalizedText, ...]:
    """List what a reader of this panel should know besides."""
    remarks = []
    if decision and decision.revised_at:
        remarks.append(build_note("decided_again", day=decision.revised_at.date()))
    if decision:
        remarks.append(
            build_note("next_look", milestone=find_next_milestone(answer_count))
        )
    if answer_count >= MIN_FOR_NUMBERS and np.ptp(days) < HALF_YEAR_DAYS:
        remarks.append(build_note("season"))
    return tuple(remarks)


def list_ceiling_remarks(moods: Floats) -> tuple[LocalizedText, ...]:
    """Say when so many answers are Great that better days could not show."""
    top_share = (
        float((moods >= TOP_MOOD).mean()) if len(moods) >= MIN_FOR_NUMBERS else 0.0
    )
    return (
        (build_note("ceiling", share=top_share),)
        if top_share > MAX_CEILING_SHARE
        else ()
    )


def list_slope_remarks(
    decision: PanelDecision | None, data: MileageData, unit: Unit
) -> tuple[LocalizedText, ...]:
    """Say how steep a link along the run's length is; none where it is all but level.

    A slope of today's answers that runs against what stands is not said.
    """
    direction = {"higher": 1, "lower": -1}.get(get_verdict(decision), 0)
    if not direction:
        return ()
    metres = SLOPE_STEP * METRES_PER_UNIT[unit]
    steps = compute_median_slope(data.distance_m / metres, data.mood)
    if direction * steps < MIN_SLOPE:
        return ()
    return (build_note("slope", unit, slope=steps, distance_m=metres),)


def estimate_group_means(
    display_groups: Mapping[str, Flags],
    values: Floats,
    days: Floats,
    *,
    min_count: int = MIN_GROUP_TO_SHOW,
) -> dict[str, Mean]:
    """Mean of each drawn group that has enough answers."""
    return {
        label: estimate_mean(values[flags], days[flags])
        for label, flags in display_groups.items()
        if np.count_nonzero(flags) >= min_count
    }
