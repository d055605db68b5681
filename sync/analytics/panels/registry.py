"""The questions asked of every runner: three fixed in advance, the rest explored."""

from dataclasses import dataclass

import numpy as np

from sync.analytics.dataset.history import History
from sync.analytics.panels.comparisons import (
    GroupComparison,
    PairComparison,
    map_to_answers,
)
from sync.analytics.panels.exploratory_panels import build_exploratory_panels
from sync.analytics.panels.questions import MileageData, build_mileage_question
from sync.analytics.sentences.localized_text import Unit
from sync.analytics.sentences.milestones import PanelQuestion
from sync.analytics.stats.rank_link import Z_CLAIM
from sync.analytics.stats.series import Floats
from sync.language import translatable


def compare_mood(history: History) -> GroupComparison:
    """Compare mood within six hours of a run with rest-day check-ins."""
    return _compare_with_check_ins("after_runs", history, history.answers.mood)


def compare_stress(history: History) -> GroupComparison:
    """Compare stress within six hours of a run with rest-day check-ins."""
    return _compare_with_check_ins("stress", history, history.answers.stress)


def collect_mileage(history: History) -> MileageData:
    """Mood against this run's distance and the week's; races are left out."""
    mask = history.is_after_run & (
        map_to_answers(history, history.runs.is_race, missing=1) == 0
    )
    run = history.answers.run[mask]
    return MileageData(
        distance_m=history.about_m[mask],
        load_m=history.load_m[run],
        mood=history.answers.mood[mask],
        days=history.answer_days[mask],
        run_ids=history.run_ids[mask],
    )


@dataclass(frozen=True, slots=True)
class PanelData:
    """Everything that is asked of one history, to be decided and to be drawn."""

    history: History
    after_runs: GroupComparison
    mileage: MileageData
    stress: GroupComparison
    exploratory: tuple[GroupComparison | PairComparison, ...]

    def build_questions(self, unit: Unit) -> dict[str, PanelQuestion]:
        """Every question, the three headline ones first."""
        headline = [
            self.after_runs.build_question(),
            build_mileage_question(self.mileage, unit),
            self.stress.build_question(),
        ]
        exploratory = [panel.build_question() for panel in self.exploratory]
        return {question.name: question for question in headline + exploratory}


def build_panel_data(history: History) -> PanelData:
    return PanelData(
        history=history,
        after_runs=compare_mood(history),
        mileage=collect_mileage(history),
        stress=compare_stress(history),
        exploratory=build_exploratory_panels(history),
    )


def _compare_with_check_ins(
    name: str, history: History, values: Floats
) -> GroupComparison:
    is_after_run, is_rest_day = history.is_after_run, history.is_rest_day
    mask = (is_after_run | is_rest_day) & ~np.isnan(values)
    return GroupComparison(
        name=name,
        values=values[mask],
        in_first=is_after_run[mask],
        days=history.answer_days[mask],
        run_ids=history.run_ids[mask],
        display_groups={
            translatable("after runs"): is_after_run[mask],
            translatable("check-ins"): is_rest_day[mask],
        },
        q=Z_CLAIM,
    )
