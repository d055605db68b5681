"""Pictures: numbers with intervals about which no sentence is ever decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from sync.analytics.dataset.history import NO_RUNS, select_known_runs
from sync.analytics.panels.definition import estimate_link, summarize_link
from sync.analytics.panels.panel import (
    LEVEL_RANGE,
    MIN_FOR_NUMBERS,
    MOOD_RANGE,
    ContributingRuns,
    Drawing,
    Estimate,
    Timeline,
    estimate_group_means,
)
from sync.analytics.sentences.catalogue import (
    NOTES,
    Finding,
    LocalizedText,
    Sentence,
)
from sync.analytics.sentences.milestones import PanelDecision, PanelQuestion
from sync.analytics.stats.groups import MIN_GROUP_TO_SHOW, estimate_mean
from sync.analytics.stats.rank_link import Link
from sync.analytics.stats.series import (
    Z_EXPLORATORY,
    Flags,
    Floats,
    Interval,
    Ints,
)
from sync.analytics.stats.shares import estimate_share

PICTURE_ONLY = Finding(Sentence(NOTES["picture_only"]))


class Picture:
    """A comparison about which nothing is decided."""

    __slots__ = ()

    def build_question(self, name: str) -> PanelQuestion:
        """Return a question that reaches no milestone."""

        def evaluate(n_rows: int) -> NoReturn:
            raise ValueError(f"nothing is decided about {name} from {n_rows} rows.")

        return PanelQuestion(
            name=name,
            cumulative_answers=np.zeros(0, dtype=np.int64),
            rows=np.zeros((0, 0)),
            evaluate=evaluate,
        )


def describe_picture(count: int, *, needed: int, kind: str = "answers") -> Finding:
    """Return what stands in for a sentence: how much is missing, or that none comes."""
    if count >= needed:
        return PICTURE_ONLY
    return Finding(Sentence(NOTES[f"too_few.{kind}"]), {"n": count, "needed": needed})


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanPicture(Picture):
    """Values whose mean is drawn, for one group or for several side by side.

    `values`, `days` and `run_ids` have shape (n,); `display_groups` maps English
    labels to flags of shape (n,), the group that the number is about first.  The
    number needs 15 values, a group that is drawn 8.
    """

    values: Floats
    days: Floats
    run_ids: Ints
    display_groups: Mapping[str, Flags]
    value_range: Interval = MOOD_RANGE
    remarks: tuple[LocalizedText, ...] = ()

    def draw(self, decision: PanelDecision | None) -> Drawing:
        del decision  # there is none
        first = self._first_group
        count = int(np.count_nonzero(first))
        return Drawing(
            answer_count=count,
            too_few=describe_picture(count, needed=MIN_FOR_NUMBERS),
            remarks=self.remarks if count >= MIN_FOR_NUMBERS else (),
            means=estimate_group_means(self.display_groups, self.values, self.days)
            if count >= MIN_FOR_NUMBERS
            else {},
            value_range=self.value_range,
            contributing_runs={"all": select_known_runs(self.run_ids[first])},
        )

    def estimate(self) -> Estimate:
        first = self._first_group
        mean = estimate_mean(self.values[first], self.days[first])
        return Estimate(mean.mean, mean.n, mean.n_eff, mean.i95)

    @property
    def _first_group(self) -> Flags:
        return next(iter(self.display_groups.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePicture(Picture):
    """How often something was so: flags of shape (n,), at `days`, after `run_ids`.

    `label` names it in English; `finding` is the sentence that counts it, with the
    facts `count` and `n`.
    """

    flags: Flags
    days: Floats
    run_ids: Ints
    label: str
    finding: str

    def draw(self, decision: PanelDecision | None) -> Drawing:
        del decision  # there is none
        n, count = len(self.flags), int(np.count_nonzero(self.flags))
        has_enough = n >= MIN_FOR_NUMBERS
        return Drawing(
            answer_count=n,
            too_few=Finding(Sentence(self.finding), {"count": count, "n": n})
            if has_enough
            else describe_picture(n, needed=MIN_FOR_NUMBERS),
            remarks=(),
            shares={self.label: estimate_share(self.flags, self.days)}
            if has_enough
            else {},
            contributing_runs={
                "all": select_known_runs(self.run_ids),
                "first": select_known_runs(self.run_ids[self.flags]),
                "second": select_known_runs(self.run_ids[~self.flags]),
            },
        )

    def estimate(self) -> Estimate:
        share = estimate_share(self.flags, self.days)
        return Estimate(share.share, share.n, share.n_eff, share.i95)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePicture(Picture):
    """Two series over time, and nothing computed from the two together.

    `needed` values of the upper one are drawn; `kind` is the end of the key of the
    note that says how many are missing.
    """

    timeline: Timeline
    needed: int
    kind: str
    remarks: tuple[LocalizedText, ...] = ()

    def draw(self, decision: PanelDecision | None) -> Drawing:
        del decision  # there is none
        count = len(self.timeline.upper.values)
        is_shown = count >= self.needed
        return Drawing(
            answer_count=int(self.timeline.answer_counts.sum()),
            too_few=describe_picture(count, needed=self.needed, kind=self.kind),
            remarks=self.remarks if is_shown else (),
            timeline=self.timeline if is_shown else None,
            contributing_runs={"all": NO_RUNS},
        )

    def estimate(self) -> Estimate:
        """Return the mean of the upper series."""
        upper = self.timeline.upper
        mean = estimate_mean(upper.values, upper.days)
        return Estimate(mean.mean, mean.n, mean.n_eff, mean.i95)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePicture(Picture):
    """The shares of each choice of a question, and its rank link with distance.

    `values`, `distance_m`, `days` and `run_ids` have shape (n,); `choices` maps each
    value that can be chosen to its words.  A distance may be nan: its answer counts
    for the shares alone.
    """

    values: Floats
    distance_m: Floats
    days: Floats
    choices: Mapping[int, str]
    run_ids: Ints = field(default_factory=lambda: NO_RUNS)
    remarks: tuple[LocalizedText, ...] = ()

    def draw(self, decision: PanelDecision | None) -> Drawing:
        del decision  # there is none
        n = len(self.values)
        contributing_runs: ContributingRuns = {"all": select_known_runs(self.run_ids)}
        if n < MIN_GROUP_TO_SHOW:
            return Drawing(
                answer_count=n,
                too_few=describe_picture(n, needed=MIN_GROUP_TO_SHOW),
                remarks=self.remarks,
                contributing_runs=contributing_runs,
            )
        return Drawing(
            answer_count=n,
            too_few=PICTURE_ONLY,
            remarks=self.remarks,
            shares={
                words: estimate_share(self.values == value, self.days)
                for value, words in self.choices.items()
            },
            link=self._link() if n >= MIN_FOR_NUMBERS else None,
            value_range=LEVEL_RANGE,
            contributing_runs=contributing_runs,
        )

    def estimate(self) -> Estimate:
        return summarize_link(self._link())

    def _link(self) -> Link:
        is_known = ~np.isnan(self.distance_m)
        return estimate_link(
            self.distance_m[is_known],
            self.values[is_known],
            self.days[is_known],
            Z_EXPLORATORY,
        )
