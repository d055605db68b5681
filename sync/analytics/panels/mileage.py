"""The headline's panel: mood against mileage, fixed in advance.

Its question has two parts: a best range of the week's distance, and a link with the
distance of each run.  docs/decisions/0007 says what a sentence about either needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

import numpy as np

from sync.analytics.dataset.history import NO_RUNS, History, select_known_runs
from sync.analytics.dataset.weeks import WEEK_DAYS
from sync.analytics.panels.definition import (
    CodebookEntry,
    Estimate,
    PanelDefinition,
    Sentence,
    build_link_facts,
    build_too_few,
    estimate_link,
    find_hours,
    name_sign,
    summarize_link,
)
from sync.analytics.panels.panel import (
    MIN_FOR_NUMBERS,
    ContributingRuns,
    Drawing,
    RunSubset,
    count_decided_answers,
    list_ceiling_remarks,
    list_remarks,
)
from sync.analytics.sentences.catalogue import Fact, LocalizedText, build_note
from sync.analytics.sentences.milestones import (
    Outcome,
    PanelDecision,
    PanelQuestion,
)
from sync.analytics.stats.curve import Curve, compute_median_slope, fit_curve
from sync.analytics.stats.series import Z_CLAIM, Floats, Ints, sort_by_time
from sync.analytics.stats.shape import GOOD_MOOD, MileageShape, fit_shape
from sync.language import translatable

# docs/decisions/0007: both parts of the mileage question share one rate of false
# claims, so each needs stronger evidence than a question that stands alone.
Z_MILEAGE_CLAIM = 2.8
MAX_P_CLEAR = 0.005
MIN_FOR_CLEAR = 120
MAX_P_EARLY = 0.03

_SLOPE_STEP = 5  # kilometres or miles
_MIN_SLOPE = 0.05  # steps of mood that would round to none
_ROUNDING_DIGITS = 6  # of kilometres or miles, beyond which two sums may differ


@dataclass(frozen=True, slots=True)
class MileageComparison:
    """Mood after runs against mileage, rows oldest first, shape (n,) each.

    `distance_m` is that of the answer's runs, `trailing_week_m` that of the seven days
    up to and including the run.  `metres_per_unit` is the runner's kilometre or mile,
    in which ranges are round.  A question needs no `run_ids`.
    """

    distance_m: Floats
    trailing_week_m: Floats
    mood: Floats
    days: Floats
    run_ids: Ints = field(default_factory=lambda: NO_RUNS)
    metres_per_unit: float = 1000.0

    def build_question(self, name: str) -> PanelQuestion:
        """Return the question for a best range of mileage, or a link."""
        times, distance_m, trailing_week_m, mood = sort_by_time(
            self.days, self.distance_m, self.trailing_week_m, self.mood
        )

        def evaluate(n_rows: int) -> Outcome:
            rows = slice(n_rows)
            return evaluate_mileage(
                MileageComparison(
                    distance_m[rows],
                    trailing_week_m[rows],
                    mood[rows],
                    times[rows],
                    metres_per_unit=self.metres_per_unit,
                )
            )

        return PanelQuestion(
            name=name,
            cumulative_answers=np.arange(1, len(times) + 1, dtype=np.int64),
            rows=np.column_stack((times, distance_m, trailing_week_m, mood)),
            evaluate=evaluate,
        )

    def draw(self, decision: PanelDecision | None) -> Drawing:
        """Draw mood along the week's distance, and along the run's.

        The link is the question's own: with the distance of each run.
        """
        n = len(self.days)
        estimate = (
            estimate_link(self.distance_m, self.mood, self.days, Z_MILEAGE_CLAIM)
            if n >= MIN_FOR_NUMBERS
            else None
        )
        words_interval = (
            estimate.find_words_interval(Z_MILEAGE_CLAIM) if estimate else None
        )
        return Drawing(
            answer_count=n,
            too_few=build_too_few("runs", n),
            remarks=(
                *list_remarks(decision, n, self.days, words_interval=words_interval),
                *self._list_slope_remarks(decision),
                *list_ceiling_remarks(self.mood),
                build_note("races_out"),
                build_note("goes_together"),
            ),
            link=estimate,
            words_interval=words_interval,
            curve=self._fit_curve(self.trailing_week_m),
            curve_by_run=self._fit_curve(self.distance_m),
            contributing_runs=self._collect_runs(decision),
        )

    def estimate(self) -> Estimate:
        return summarize_link(
            estimate_link(self.distance_m, self.mood, self.days, Z_MILEAGE_CLAIM)
        )

    def _fit_curve(self, metres: Floats) -> Curve | None:
        weeks = np.floor(self.days / WEEK_DAYS).astype(np.int64)
        return fit_curve(metres / self.metres_per_unit, self.mood, weeks)

    def _list_slope_remarks(
        self, decision: PanelDecision | None
    ) -> tuple[LocalizedText, ...]:
        """Return a remark on the slope of a decided link; none for a slope near 0.

        A slope of today's answers against the decision's direction is left out.
        """
        verdict = decision.outcome.verdict if decision else ""
        direction = {"higher": 1, "lower": -1}.get(verdict, 0)
        if not direction:
            return ()
        metres = _SLOPE_STEP * self.metres_per_unit
        steps = compute_median_slope(self.distance_m / metres, self.mood)
        if direction * steps < _MIN_SLOPE:
            return ()
        return (build_note("slope", slope=steps, distance_m=metres),)

    def _collect_runs(self, decision: PanelDecision | None) -> ContributingRuns:
        """Return the ids of the runs that the sentence and its percentages count."""
        n_answers = count_decided_answers(decision)
        _, _, trailing_week_m, mood, run_ids = (
            column[:n_answers]
            for column in sort_by_time(
                self.days,
                self.distance_m,
                self.trailing_week_m,
                self.mood,
                self.run_ids.astype(np.float64),
            )
        )
        facts = decision.outcome.facts if decision else {}
        low, high = (
            round(metres / self.metres_per_unit, _ROUNDING_DIGITS)
            if isinstance(metres := facts.get(key), int | float)
            else inf
            for key in ("low_m", "high_m")
        )
        mileage = np.round(trailing_week_m / self.metres_per_unit, _ROUNDING_DIGITS)
        is_inside, is_good = (mileage >= low) & (mileage < high), mood >= GOOD_MOOD
        subsets: dict[RunSubset, Floats | Ints] = {"all": self.run_ids, "said": run_ids}
        if is_inside.any():
            subsets |= {
                "inside": run_ids[is_inside],
                "good_inside": run_ids[is_inside & is_good],
                "outside": run_ids[~is_inside],
                "good_outside": run_ids[~is_inside & is_good],
            }
        return {subset: select_known_runs(ids) for subset, ids in subsets.items()}


def compare_mileage(history: History) -> MileageComparison:
    """Compare mood with this run's distance and the week's.

    Races are left out, and so are runs whose distance was not measured.
    """
    mask = history.is_after_run & ~history.is_about_race & (history.about_m > 0)
    run = history.answers.run[mask]
    return MileageComparison(
        distance_m=history.about_m[mask],
        trailing_week_m=history.load_m[run],
        mood=history.answers.mood[mask],
        days=history.answer_days[mask],
        run_ids=history.run_ids[mask],
        metres_per_unit=history.metres_per_unit,
    )


def evaluate_mileage(data: MileageComparison) -> Outcome:
    """Choose the one sentence: best range, a link, an early sign, or none."""
    ranges = fit_shape(
        data.trailing_week_m / data.metres_per_unit,
        data.mood,
        data.days,
        hours=find_hours(data.days),
    )
    monotone = estimate_link(data.distance_m, data.mood, data.days, Z_CLAIM)
    if ranges is not None and is_clear_range(ranges):
        return Outcome("mileage.best", _build_range_facts(ranges, data.metres_per_unit))
    if monotone.is_certain_at(Z_MILEAGE_CLAIM):
        verdict = name_sign(monotone.rho)
        return Outcome(
            f"mileage.{verdict}", build_link_facts(monotone, Z_MILEAGE_CLAIM)
        )
    if ranges is not None and ranges.p <= MAX_P_EARLY:
        return Outcome(
            "mileage.early", _build_range_facts(ranges, data.metres_per_unit)
        )
    return Outcome("mileage.none", build_link_facts(monotone, Z_MILEAGE_CLAIM))


def is_clear_range(ranges: MileageShape) -> bool:
    """Whether a best range is certain enough to be stated without "may"."""
    return ranges.n >= MIN_FOR_CLEAR and ranges.p <= MAX_P_CLEAR and ranges.is_distinct


def _build_range_facts(
    ranges: MileageShape, metres_per_unit: float
) -> Mapping[str, Fact]:
    low, high = ranges.best_range
    facts: dict[str, Fact] = {
        "n": ranges.n,
        "low_m": low * metres_per_unit,
        "good_in": round(ranges.good_in, 3),
        "good_out": round(ranges.good_out, 3),
    }
    if high is not None:
        facts["high_m"] = high * metres_per_unit
    return facts


PANELS = (
    PanelDefinition(
        name="mileage",
        position=20,
        title=translatable("Mood and mileage"),
        compare=compare_mileage,
        is_fixed=True,
        questions=("race",),
        codebook=CodebookEntry("", "Spearman: about_m, mood; after_run, no races"),
        sentences={
            "best": Sentence(
                translatable(
                    "In your first {n} answers, you tended to feel best in weeks of "
                    "{range}."
                ),
                translatable(
                    "Good or Great after {good_in} of those runs, against {good_out} "
                    "after others. It does not tell us why."
                ),
                is_joined_by_colon=True,
            ),
            "early": Sentence(
                translatable("You may feel better in weeks of {range}."),
                translatable("It may still be chance."),
            ),
            "higher": Sentence(
                translatable(
                    "In your first {n} answers, mood after longer runs tended to be "
                    "higher."
                ),
                translatable(
                    "That held after allowing for season, weekday and time of day. It "
                    "does not tell us why."
                ),
            ),
            "lower": Sentence(
                translatable(
                    "In your first {n} answers, mood after longer runs tended to be "
                    "lower."
                ),
                translatable(
                    "That held after allowing for season, weekday and time of day. It "
                    "does not tell us why."
                ),
            ),
            "none": Sentence(
                translatable("No clear link so far ({n} runs)."),
                translatable("Could be anywhere from {from} to {to} on longer runs."),
            ),
        },
    ),
)
