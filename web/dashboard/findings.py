"""The runner's figures as the dashboard shows them.

Every sentence comes from `sync.analytics`; curves are put on the scale of the tiles,
1 to 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from sync.language import gettext, translatable
from sync.runtime import Runtime
from sync.vocabulary import DistanceUnit
from web.charts.mood_rows import BestRange, MoodCurve
from web.dashboard.all_figures import load_all_figures
from web.dashboard.comparison_rows import (
    PanelRow,
    build_difference_rows,
    build_link_rows,
)
from web.dashboard.delay_rows import DrawnDelaysView, build_drawn_delays
from web.dashboard.run_links import RunLink, build_sentence_links, find_run_group
from web.formats import convert_distance, mood_to_tile

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel
    from sync.analytics.stats.curve import Curve

MIN_ANSWERS_FOR_FIGURES = 3


@dataclass(frozen=True, slots=True)
class Certainty:
    """The chip beside the headline: its text, and 1 to 3 bars."""

    label: str
    strength: int


_CLEAR_PATTERN = Certainty(translatable("Clear pattern"), 3)
_NO_PATTERN = Certainty(translatable("No pattern yet"), 1)
_CERTAINTY_BY_VERDICT = {
    "best": _CLEAR_PATTERN,
    "higher": _CLEAR_PATTERN,
    "lower": _CLEAR_PATTERN,
    "early": Certainty(translatable("Early sign"), 2),
}


@dataclass(frozen=True, slots=True)
class DashboardFindings:
    """The headline, its certainty, the lines for both charts, and the rest.

    `headline_links` lead to the runs that the headline and its percentages count;
    `panels` know the runs of every number.  `notice` and `support` are rare; beside
    `support` stand people to talk to.
    """

    title: str
    text: str
    chip: str
    strength: int
    notes: Sequence[str]
    headline_links: Sequence[RunLink]
    panels: Sequence["Panel"]
    by_week: MoodCurve | None
    by_run: MoodCurve | None
    best: BestRange | None
    fixed_questions: Sequence[PanelRow]
    differences: Sequence[PanelRow]
    links: Sequence[PanelRow]
    drawn_delays: DrawnDelaysView | None
    general_notes: Sequence[str]
    notice: str | None
    support: str | None


def load_findings(
    runtime: Runtime, runner_id: int, unit: DistanceUnit, *, group: str = ""
) -> DashboardFindings:
    """Return the figures of the dashboard; `group` names runs of any panel."""
    # Imported here: numpy and what rests on it take half a second to load, and
    # a process that only serves surveys and events never pays for them.
    from sync.analytics.figures import load_figures  # noqa: PLC0415

    figures = load_figures(runtime, runner_id)
    panels = figures.panels
    if group and find_run_group(panels, group) is None:
        panels = load_all_figures(runtime, runner_id).panels
    mileage = figures.mileage
    is_decided = mileage.decision is not None
    certainty = _CERTAINTY_BY_VERDICT.get(mileage.verdict, _NO_PATTERN)
    is_early = mileage.verdict == "early"
    return DashboardFindings(
        title=_join_percents(mileage.finding.title),
        text=_join_percents(mileage.finding.text),
        chip=gettext(certainty.label),
        strength=certainty.strength,
        notes=mileage.notes,
        headline_links=build_sentence_links(mileage),
        panels=panels,
        by_week=build_curve(mileage.curve, dashed=is_early) if is_decided else None,
        by_run=(
            build_curve(mileage.curve_by_run, dashed=is_early) if is_decided else None
        ),
        best=find_best_range(mileage, unit),
        fixed_questions=build_difference_rows(
            [panel for panel in figures.headline if panel.sides]
        ),
        differences=build_difference_rows(
            [panel for panel in figures.exploratory if panel.sides]
        ),
        links=build_link_rows(
            [
                panel
                for panel in figures.exploratory
                if not panel.sides and not panel.delays
            ]
        ),
        drawn_delays=next(
            (
                build_drawn_delays(panel)
                for panel in figures.exploratory
                if panel.delays
            ),
            None,
        ),
        general_notes=figures.notes,
        notice=figures.notice,
        support=figures.support,
    )


def _join_percents(text: str) -> str:
    """Keep each percent sign on the line of its number."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def build_curve(curve: "Curve | None", *, dashed: bool) -> MoodCurve | None:
    if curve is None:
        return None
    mood_curve = MoodCurve(
        curve.x.tolist(), _moods_to_tiles(curve.y.tolist()), is_dashed=dashed
    )
    if curve.low is None or curve.high is None:
        return mood_curve
    return replace(
        mood_curve,
        low=_moods_to_tiles(curve.low.tolist()),
        high=_moods_to_tiles(curve.high.tolist()),
    )


def _moods_to_tiles(moods: list[float]) -> list[float]:
    return [mood + mood_to_tile(0) for mood in moods]


def find_best_range(panel: "Panel", unit: DistanceUnit) -> BestRange | None:
    """Return the range that the decision names; None unless it names one."""
    if panel.decision is None or panel.verdict != "best":
        return None
    facts = panel.decision.outcome.facts
    low, high = facts.get("low_m"), facts.get("high_m", inf)
    if isinstance(low, str) or isinstance(high, str) or low is None:
        return None
    return BestRange(convert_distance(low, unit), convert_distance(high, unit))
