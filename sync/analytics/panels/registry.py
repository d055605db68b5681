"""The questions asked of every runner: three fixed in advance, the rest explored."""

from dataclasses import dataclass

import numpy as np

from sync.analytics.dataset.history import History
from sync.analytics.panels.comparisons import Groups, Pairs, of_run
from sync.analytics.panels.exploratory_panels import exploring
from sync.analytics.panels.questions import Mileage, mileage_question
from sync.analytics.sentences.localized_text import Unit
from sync.analytics.sentences.milestones import Question
from sync.analytics.stats.rank_link import WORDS
from sync.analytics.stats.series import Floats
from sync.language import translatable


def after_runs(history: History) -> Groups:
    """Compare mood within six hours of a run with rest-day check-ins."""
    return _against_check_ins("after_runs", history, history.answers.mood)


def stress(history: History) -> Groups:
    """Compare stress within six hours of a run with rest-day check-ins."""
    return _against_check_ins("stress", history, history.answers.stress)


def mileage(history: History) -> Mileage:
    """Mood against this run's distance and the week's; races are left out."""
    counts = history.after_run & (of_run(history, history.runs.race, missing=1) == 0)
    run = history.answers.run[counts]
    return Mileage(
        distance_m=history.about_m[counts],
        load_m=history.load_m[run],
        mood=history.answers.mood[counts],
        days=history.answer_days[counts],
        run_ids=history.run_ids[counts],
    )


@dataclass(frozen=True, slots=True)
class Panels:
    """Everything that is asked of one history, to be decided and to be drawn."""

    history: History
    after_runs: Groups
    mileage: Mileage
    stress: Groups
    explored: tuple[Groups | Pairs, ...]

    def questions(self, unit: Unit) -> dict[str, Question]:
        """Every question, the three headline ones first."""
        headline = [
            self.after_runs.question(),
            mileage_question(self.mileage, unit),
            self.stress.question(),
        ]
        explored = [panel.question() for panel in self.explored]
        return {question.name: question for question in headline + explored}


def panels_of(history: History) -> Panels:
    return Panels(
        history=history,
        after_runs=after_runs(history),
        mileage=mileage(history),
        stress=stress(history),
        explored=exploring(history),
    )


def _against_check_ins(name: str, history: History, values: Floats) -> Groups:
    after, rested = history.after_run, history.rested
    used = (after | rested) & ~np.isnan(values)
    return Groups(
        name=name,
        values=values[used],
        in_first=after[used],
        days=history.answer_days[used],
        run_ids=history.run_ids[used],
        drawn={
            translatable("after runs"): after[used],
            translatable("check-ins"): rested[used],
        },
        q=WORDS,
    )
