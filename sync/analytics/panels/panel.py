"""One panel as a page draws it: points, curve, groups, and one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from sync.analytics.dataset.loads import week_start
from sync.analytics.panels.comparisons import Groups, Pairs
from sync.analytics.panels.contributing_runs import (
    Behind,
    behind_groups,
    behind_mileage,
    behind_pairs,
)
from sync.analytics.panels.questions import Mileage
from sync.analytics.sentences.localized_text import METRES, TITLES, Saying, Unit, note
from sync.analytics.sentences.milestones import FIRST_MILESTONE, Decided, next_milestone
from sync.analytics.stats.curve import Curve, median_slope, typical
from sync.analytics.stats.groups import (
    FEWEST_FOR_WORDS,
    FEWEST_SHOWN,
    Difference,
    Mean,
    difference,
    mean,
)
from sync.analytics.stats.rank_link import Link, link
from sync.analytics.stats.series import Flags, Floats
from sync.language import gettext

NUMBER_FROM = 15
RACES_FROM = 5
CEILING = 0.4
PER, LEVEL = 5, 0.05  # kilometres or miles; steps of mood that would be told as none
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
    exploring: bool
    verdict: str
    saying: Saying
    remarks: tuple[Saying, ...]
    answers: int
    decided: Decided | None
    means: Mapping[str, Mean]
    link: Link | None = None
    difference: Difference | None = None
    curve: Curve | None = None
    behind: Behind = field(default_factory=dict)

    @property
    def title(self) -> str:
        return gettext(TITLES[self.name])

    @property
    def sentence(self) -> str:
        return self.saying.said()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(remark.said() for remark in self.remarks)

    @property
    def groups(self) -> dict[str, Mean]:
        return {gettext(label): found for label, found in self.means.items()}

    @property
    def n_eff(self) -> float:
        found = self.link or self.difference
        return found.n_eff if found else float(self.answers)


def groups_panel(panel: Groups, decided: Decided | None, unit: Unit) -> Panel:
    """Draw two or more groups side by side."""
    found = difference(panel.values, panel.in_first, panel.days, q=panel.q)
    least = RACES_FROM if panel.name == "race" else FEWEST_SHOWN
    shown = min(found.n_first, found.n_second) >= least
    answers = 2 * min(found.n_first, found.n_second)
    return Panel(
        name=panel.name,
        exploring=panel.name not in {"after_runs", "stress"},
        verdict=verdict(decided),
        saying=_groups_sentence(decided, answers // 2, unit),
        remarks=(
            *notes(decided, answers, panel.days),
            *(() if panel.name == "stress" else ceiling(panel.values)),
        ),
        answers=found.n_first + found.n_second,
        decided=decided,
        means=means(panel.drawn, panel.values, panel.days, least=least),
        difference=found if shown else None,
        behind=behind_groups(panel, decided),
    )


def pairs_panel(panel: Pairs, decided: Decided | None, unit: Unit) -> Panel:
    """Draw groups along something that may move together with mood."""
    many = len(panel.days)
    return Panel(
        name=panel.name,
        exploring=True,
        verdict=verdict(decided),
        saying=sentence(decided, many, panel.things, unit),
        remarks=(
            *notes(decided, many, panel.days),
            *(ceiling(panel.y) if panel.is_mood else ()),
        ),
        answers=many,
        decided=decided,
        means=means(panel.drawn, panel.y, panel.days),
        link=link(panel.x, panel.y, panel.days) if many >= NUMBER_FROM else None,
        behind=behind_pairs(panel),
    )


def mileage_panel(data: Mileage, decided: Decided | None, unit: Unit) -> Panel:
    """Draw mood along the distance of the seven days up to each run.

    The link is the question's own: with the distance of each run.
    """
    many = len(data.days)
    return Panel(
        name="mileage",
        exploring=False,
        verdict=verdict(decided),
        saying=sentence(decided, many, "runs", unit),
        remarks=(
            *notes(decided, many, data.days),
            *slope(decided, data, unit),
            *ceiling(data.mood),
            note("races_out"),
            note("goes_together"),
        ),
        answers=many,
        decided=decided,
        means={},
        link=(
            link(data.distance_m, data.mood, data.days) if many >= NUMBER_FROM else None
        ),
        curve=_curve(data.load_m, data, unit),
        behind=behind_mileage(data, decided, unit),
    )


def along_the_run(panel: Panel, data: Mileage, unit: Unit) -> Panel:
    """Draw the same question along the distance of each run itself."""
    return replace(panel, curve=_curve(data.distance_m, data, unit), behind={})


def _curve(metres: Floats, data: Mileage, unit: Unit) -> Curve | None:
    return typical(metres / METRES[unit], data.mood, week_start(data.days))


def verdict(decided: Decided | None) -> str:
    return decided.finding.verdict if decided else TOO_EARLY


def sentence(decided: Decided | None, answers: int, things: str, unit: Unit) -> Saying:
    """Say what stands, or how much is missing for a first look."""
    if decided is not None:
        return decided.finding.saying(unit)
    needed = NUMBER_FROM if answers < NUMBER_FROM else FIRST_MILESTONE
    return note(f"too_few.{things}", n=answers, needed=needed)


def _groups_sentence(decided: Decided | None, smaller: int, unit: Unit) -> Saying:
    if decided is not None:
        return decided.finding.saying(unit)
    needed = FEWEST_SHOWN if smaller < FEWEST_SHOWN else FEWEST_FOR_WORDS
    return note("too_few_each", n=smaller, needed=needed)


def notes(decided: Decided | None, answers: int, days: Floats) -> tuple[Saying, ...]:
    """List what a reader of this panel should know besides."""
    said = []
    if decided and decided.revised_at:
        said.append(note("decided_again", day=decided.revised_at.date()))
    if decided:
        said.append(note("next_look", milestone=next_milestone(answers)))
    if answers >= NUMBER_FROM and np.ptp(days) < HALF_YEAR_DAYS:
        said.append(note("season"))
    return tuple(said)


def ceiling(moods: Floats) -> tuple[Saying, ...]:
    """Say when so many answers are Great that better days could not show."""
    top = float((moods >= TOP_MOOD).mean()) if len(moods) >= NUMBER_FROM else 0.0
    return (note("ceiling", share=top),) if top > CEILING else ()


def slope(decided: Decided | None, data: Mileage, unit: Unit) -> tuple[Saying, ...]:
    """Say how steep a link along the run's length is; none where it is all but level.

    A slope of today's answers that runs against what stands is not said.
    """
    up = {"higher": 1, "lower": -1}.get(verdict(decided), 0)
    if not up:
        return ()
    metres = PER * METRES[unit]
    steps = median_slope(data.distance_m / metres, data.mood)
    if up * steps < LEVEL:
        return ()
    return (note("slope", unit, slope=steps, distance_m=metres),)


def means(
    drawn: Mapping[str, Flags],
    values: Floats,
    days: Floats,
    *,
    least: int = FEWEST_SHOWN,
) -> dict[str, Mean]:
    """Mean of each drawn group that has enough answers."""
    return {
        label: mean(values[flags], days[flags])
        for label, flags in drawn.items()
        if np.count_nonzero(flags) >= least
    }
