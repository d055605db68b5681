"""What the runner's figures say, made ready for the page.

Every sentence comes from `sync.analytics`; here they are only split into a
title and the rest, and their lines put on the scale of the tiles, 1 to 5.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from sync.language import gettext, translatable
from sync.runtime import Runtime
from web.charts.mood_rows import Line
from web.dashboard.comparison_rows import PanelRow, differences, links
from web.dashboard.run_links import SIDES, Count, said
from web.formats import METRES, Unit, tile

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel
    from sync.analytics.stats.curve import Curve

FEWEST_FOR_FIGURES = 3

_CHIPS = {
    "best": (translatable("Clear pattern"), 3),
    "higher": (translatable("Clear pattern"), 3),
    "lower": (translatable("Clear pattern"), 3),
    "early": (translatable("Early sign"), 2),
}
_NO_PATTERN = (translatable("No pattern yet"), 1)
_FIRST_CLAUSE = re.compile(r"(?<=\.) |: (?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Findings:
    """The headline, its certainty, the lines for both charts, and the rest.

    `behind` leads to the runs that the headline and its percentages count; `panels`
    know the runs behind every number. `notice` and `support` are rare; beside
    `support` stand people to talk to.
    """

    title: str
    text: str
    chip: str
    strength: int
    notes: Sequence[str]
    behind: Sequence[Count]
    panels: Sequence["Panel"]
    by_week: Line | None
    by_run: Line | None
    best: tuple[float, float] | None
    others: Sequence[PanelRow]
    differences: Sequence[PanelRow]
    links: Sequence[PanelRow]
    about_all: Sequence[str]
    notice: str | None
    support: str | None


def findings_for(runtime: Runtime, runner_id: int, unit: Unit) -> Findings:
    # Imported here: numpy and what rests on it take half a second to load, and
    # a process that only serves surveys and events never pays for them.
    from sync.analytics.figures import figures_for  # noqa: PLC0415

    figures = figures_for(runtime, runner_id)
    mileage, by_run = figures.mileage, figures.mileage_by_run
    decided = mileage.decided
    title, text = split(mileage.sentence)
    chip, strength = _CHIPS.get(mileage.verdict, _NO_PATTERN)
    is_early = mileage.verdict == "early"
    return Findings(
        title=title,
        text=text,
        chip=gettext(chip),
        strength=strength,
        notes=mileage.notes,
        behind=said(mileage),
        panels=(*figures.headline, *figures.exploring),
        by_week=_line(mileage.curve, dashed=is_early) if decided else None,
        by_run=_line(by_run.curve, dashed=is_early) if decided else None,
        best=_best(mileage, unit) if mileage.verdict == "best" else None,
        others=differences((figures.after_runs, figures.stress)),
        differences=differences([p for p in figures.exploring if p.name in SIDES]),
        links=links([p for p in figures.exploring if p.name not in SIDES]),
        about_all=figures.notes,
        notice=figures.notice,
        support=figures.support,
    )


def split(sentence: str) -> tuple[str, str]:
    """Split a sentence of the figures into a short title and what follows."""
    whole = sentence.replace(" %", "\N{NO-BREAK SPACE}%")
    title, *rest = _FIRST_CLAUSE.split(whole, maxsplit=1)
    return f"{title.rstrip('.')}.", rest[0] if rest else ""


def _line(curve: "Curve | None", *, dashed: bool) -> Line | None:
    if curve is None:
        return None
    line = Line(curve.x.tolist(), _tiles(curve.y.tolist()), dashed=dashed)
    if curve.low is None or curve.high is None:
        return line
    return replace(
        line, low=_tiles(curve.low.tolist()), high=_tiles(curve.high.tolist())
    )


def _tiles(moods: list[float]) -> list[float]:
    return [mood + tile(0) for mood in moods]


def _best(panel: "Panel", unit: Unit) -> tuple[float, float] | None:
    if panel.decided is None:
        return None
    facts = panel.decided.finding.facts
    low, high = facts.get("low_m"), facts.get("high_m", inf)
    if isinstance(low, str) or isinstance(high, str) or low is None:
        return None
    return low / METRES[unit], high / METRES[unit]
