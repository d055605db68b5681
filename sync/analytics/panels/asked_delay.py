"""Mood against the hours to the question, where chance has drawn these.

It goes by what was drawn and never by when the answer came: whoever answers late on bad
days would see mood fade that does not.  A run that another one followed on the same day
is left out, whatever was drawn for it: its question may have moved behind the later
run, and the later it was to come, the more likely so.
"""

from dataclasses import dataclass, replace

import numpy as np

from sync.analytics.dataset.history import (
    HOURS_PER_DAY,
    DelayArrays,
    select_known_runs,
)
from sync.analytics.panels.definition import (
    CodebookEntry,
    Estimate,
    History,
    PanelDefinition,
    Sentence,
    build_too_few,
    name_sign,
)
from sync.analytics.panels.panel import (
    MIN_FOR_NUMBERS,
    DelayGroup,
    Drawing,
    list_ceiling_remarks,
    list_remarks,
)
from sync.analytics.sentences.catalogue import Fact, build_note
from sync.analytics.sentences.milestones import (
    Outcome,
    PanelDecision,
    PanelQuestion,
)
from sync.analytics.stats.random_delay import (
    DelayDraws,
    compare_delays,
    estimate_delay_slope,
    is_delay_claim,
)
from sync.analytics.stats.series import (
    Z_DRAWN,
    Z_EXPLORATORY,
    Flags,
    Floats,
    Ints,
    enclose,
)
from sync.language import translatable


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayComparison:
    """Moods after drawn delays, and the questions that stayed without an answer.

    `draws` has the answered ones, `run_ids`, shape (n,), the runs they are about.
    `asked_counts`, shape (k,), has the questions asked after each of the delays that
    there are; `early_count` of the answers came before their question.
    """

    draws: DelayDraws
    run_ids: Ints
    asked_counts: Ints
    answered_counts: Ints
    early_count: int

    @property
    def span_h(self) -> int:
        """The hours between the shortest and the longest delay that was drawn."""
        delays = self.draws.delays_h
        return int(np.ptp(delays)) if len(delays) else 0

    def build_question(self, name: str) -> PanelQuestion:
        """Ask whether mood moves with the delay that was drawn."""

        def evaluate(n_rows: int) -> Outcome:
            first = replace(self, draws=self.draws.select(slice(n_rows)))
            slope = estimate_delay_slope(first.draws).value
            is_claim = is_delay_claim(first.draws)
            facts: dict[str, Fact] = {"n": n_rows}
            if is_claim:
                facts |= {"slope": round(slope * first.span_h, 3), "h": first.span_h}
            return Outcome(f"{name}.{name_sign(slope) if is_claim else 'none'}", facts)

        draws = self.draws
        return PanelQuestion(
            name=name,
            cumulative_answers=np.arange(1, len(draws.days) + 1, dtype=np.int64),
            rows=np.column_stack(
                (draws.days, draws.hours, draws.delays_h, draws.values, draws.odds)
            ),
            evaluate=evaluate,
        )

    def draw(self, decision: PanelDecision | None) -> Drawing:
        """Draw each delay beside the first, with answers given and questions asked."""
        draws, n = self.draws, len(self.draws.values)
        slope = estimate_delay_slope(draws)
        contrasts = compare_delays(draws)
        early = [build_note("asked_early", n=self.early_count)]
        return Drawing(
            answer_count=n,
            too_few=build_too_few("answers", n),
            remarks=(
                *list_remarks(decision, n, draws.days),
                *list_ceiling_remarks(draws.values),
                build_note("asked_by_draw"),
                build_note("later_in_day"),
                *(early if self.early_count else ()),
            ),
            delays=tuple(
                DelayGroup(
                    hours=int(hours),
                    asked_count=int(asked),
                    answered_count=int(answered),
                    contrast=contrasts.get(int(hours)),
                )
                for hours, asked, answered in zip(
                    draws.offered_h,
                    self.asked_counts,
                    self.answered_counts,
                    strict=True,
                )
            ),
            delay_slope=slope if n >= MIN_FOR_NUMBERS else None,
            words_interval=enclose(
                (
                    slope.unadjusted.interval(Z_EXPLORATORY),
                    slope.adjusted.interval(Z_DRAWN),
                )
            ),
            contributing_runs={"all": select_known_runs(self.run_ids)},
        )

    def estimate(self) -> Estimate:
        slope = estimate_delay_slope(self.draws)
        # The draws are independent, so each answer counts in full.
        return Estimate(slope.value, slope.n, float(slope.n), slope.i95)


def compare_drawn_delays(history: History) -> DelayComparison | None:
    """Take the moods that were asked for after drawn delays; None without a draw."""
    delays = history.delays
    if not len(delays.delay_h):
        return None
    is_single = ~np.append(history.is_followed, False)[delays.run]
    is_asked = is_single & (delays.is_sent | delays.is_answered)
    asked_hours = find_asked_hours(history)
    is_counted = is_asked & (delays.answer >= 0) & ~np.isnan(asked_hours)
    rows = np.flatnonzero(is_counted)
    rows = rows[np.argsort(history.answer_days[delays.answer[rows]], kind="stable")]
    answers = delays.answer[rows]
    return DelayComparison(
        draws=DelayDraws(
            values=history.answers.mood[answers],
            delays_h=delays.delay_h[rows].astype(np.float64),
            offered_h=delays.offered_h.astype(np.float64),
            odds=delays.odds[rows],
            days=history.answer_days[answers],
            hours=asked_hours[rows],
        ),
        run_ids=history.run_ids[answers],
        asked_counts=_count_by_delay(delays, is_asked),
        answered_counts=_count_by_delay(delays, is_asked & delays.is_answered),
        early_count=int(
            np.count_nonzero(history.answers.answered_s[answers] < delays.asks_s[rows])
        ),
    )


def find_asked_hours(history: History) -> Floats:
    """Return the local hour of each drawn moment, (d,); nan without a known start."""
    delays = history.delays
    hours = np.append(history.runs.end_hour, np.nan)[delays.run] + delays.delay_h
    return np.asarray(hours % HOURS_PER_DAY)


def _count_by_delay(delays: DelayArrays, mask: Flags) -> Ints:
    """Count the draws where `mask` is true by the delays that there are, (k,)."""
    is_drawn = delays.delay_h[mask][:, None] == delays.offered_h
    return np.asarray(is_drawn.sum(axis=0), dtype=np.int64)


PANELS = (
    PanelDefinition(
        name="asked_delay",
        position=85,
        title=translatable("How long it lasts, by hours drawn at random"),
        compare=compare_drawn_delays,
        codebook=CodebookEntry(
            "steps an hour", "slope of mood on delay_h, with expected_h held fixed"
        ),
        sentences={
            "higher": Sentence(
                translatable(
                    "Mood tended to be higher the longer after a run you were asked: "
                    "about {slope} steps over {h} hours, in {n} answers."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Mood tended to be lower the longer after a run you were asked: "
                    "about {slope} steps over {h} hours, in {n} answers."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between mood and how long after a run you "
                    "were asked ({n} answers)."
                )
            ),
        },
    ),
)
