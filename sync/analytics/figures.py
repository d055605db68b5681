"""All figures of one runner, computed once per change of their data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from sync.analytics.dataset.cache import Kept
from sync.analytics.dataset.columns import About, history_of
from sync.analytics.dataset.history import History
from sync.analytics.dataset.load import KEPT as KEPT_ROWS
from sync.analytics.dataset.load import read
from sync.analytics.panels.comparisons import Groups, Pairs
from sync.analytics.panels.panel import (
    NUMBER_FROM,
    Panel,
    along_the_run,
    groups_panel,
    mileage_panel,
    pairs_panel,
)
from sync.analytics.panels.registry import Panels, panels_of
from sync.analytics.sentences import store
from sync.analytics.sentences.localized_text import Finding, Saying, Unit, note
from sync.analytics.sentences.milestones import Decided, settle
from sync.analytics.sentences.rare_notices import (
    RARE,
    more_than_usual,
    mostly_low,
    rarely,
    said_now,
)
from sync.analytics.stats.groups import Mean, mean
from sync.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a runner's pages say and draw, in the runner's unit.

    What it says is in no language until it is read: `notes`, `notice` and `support`
    are in the language spoken then.

    `mileage` has two views of one question: the week's distance and the run's.
    `notes` are about all of it. `notice` and `support` are rare: a week long, and
    not again for four and two weeks; beside `support` belong the lines of
    `sync.support.directory`.
    """

    data_version: int
    unit: Unit
    after_runs: Panel
    mileage: Panel
    mileage_by_run: Panel
    stress: Panel
    exploring: tuple[Panel, ...]
    remarks: tuple[Saying, ...]
    more_than_usual: Saying | None
    mostly_low: Saying | None

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(remark.said() for remark in self.remarks)

    @property
    def notice(self) -> str | None:
        return self.more_than_usual.said() if self.more_than_usual else None

    @property
    def support(self) -> str | None:
        return self.mostly_low.said() if self.mostly_low else None

    @property
    def headline(self) -> tuple[Panel, Panel, Panel]:
        """The three questions that were fixed in advance, in their order."""
        return self.after_runs, self.mileage, self.stress


def figures_for(runtime: Runtime, runner_id: int) -> Figures:
    """Return the runner's figures; from memory while nothing has changed."""
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        owner = store.owner(session, runner_id)
        unit: Unit = "mi" if owner.units == "mi" else "km"
        today = store.local_today(now, owner.zone)
        state = (owner.vault_key, owner.data_version)
        key = (runner_id, state, (today, unit, owner.zone.key))
        kept = KEPT.find(runtime.db, key)
        if kept is not None:
            return kept
        vault = runtime.sealer.vault(owner.vault_key)
        rows = KEPT_ROWS.find(runtime.db, (runner_id, state, None)) or read(
            session, runner_id, vault
        )
        asked = store.asked(session, runner_id)
        standing = store.decisions(session, runner_id, vault)
    about = About(owner.zone, asked, today, first_weekday=owner.first_weekday)
    panels = panels_of(history_of(rows, about=about))
    decided = decide(panels, standing, unit, now=now)
    fresh = {name: one for name, one in decided.items() if standing.get(name) != one}
    if fresh:
        with runtime.db.transaction() as session:
            version = owner.data_version
            store.keep(session, runner_id, vault, fresh, data_version=version)
    found = assemble(panels, decided, unit, data_version=owner.data_version, now=now)
    KEPT.keep(runtime.db, key, found)
    return found


def decide(
    panels: Panels, standing: Mapping[str, Decided], unit: Unit, *, now: datetime
) -> dict[str, Decided]:
    """Return the sentences that stand now, by panel, and the two rare notices."""
    settled = {
        name: settle(question, standing.get(name), now=now)
        for name, question in panels.questions(unit).items()
    }
    settled[RARE] = rarely(standing.get(RARE), _firing(panels.history), now=now)
    return {name: one for name, one in settled.items() if one is not None}


def assemble(
    panels: Panels,
    decided: Mapping[str, Decided],
    unit: Unit,
    *,
    data_version: int,
    now: datetime,
) -> Figures:
    """Draw every panel of one history."""
    miles = mileage_panel(panels.mileage, decided.get("mileage"), unit)
    return Figures(
        data_version=data_version,
        unit=unit,
        after_runs=_drawn(panels.after_runs, decided, unit),
        mileage=miles,
        mileage_by_run=along_the_run(miles, panels.mileage, unit),
        stress=_drawn(panels.stress, decided, unit),
        exploring=tuple(_drawn(panel, decided, unit) for panel in panels.explored),
        remarks=_remarks(panels),
        more_than_usual=_shown(decided, "more_than_usual", unit, now),
        mostly_low=_shown(decided, "support", unit, now),
    )


def _drawn(panel: Groups | Pairs, decided: Mapping[str, Decided], unit: Unit) -> Panel:
    stands = decided.get(panel.name)
    if isinstance(panel, Groups):
        return groups_panel(panel, stands, unit)
    return pairs_panel(panel, stands, unit)


def _remembered(history: History) -> Mean:
    """Mood after a run minus mood before it as remembered."""
    told = history.after_run & ~np.isnan(history.answers.before)
    lift = history.answers.mood[told] - history.answers.before[told]
    return mean(lift, history.answer_days[told])


def _remarks(panels: Panels) -> tuple[Saying, ...]:
    history = panels.history
    many = len(history.answers.mood)
    said = [note("exploring", panels=len(panels.explored))]
    if many:
        said.append(note("answered", answered=many, asked=max(history.asked, many)))
    if history.late.any():
        said.append(note("late"))
    remembered = _remembered(history)
    if remembered.n >= NUMBER_FROM:
        said.append(note("remembered", mean=remembered.mean))
    usual = history.answers.mood[history.rested]
    if len(usual) >= NUMBER_FROM:
        said.append(note("usual", mean=float(usual.mean()), n=len(usual)))
    return tuple(said)


def _shown(
    decided: Mapping[str, Decided], name: str, unit: Unit, now: datetime
) -> Saying | None:
    found = said_now(decided.get(RARE), name, now=now)
    return found.saying(unit) if found else None


def _firing(history: History) -> dict[str, Finding]:
    """Which of the two rare notices today's data would give."""
    runs, answers = history.runs, history.answers
    said = (answers.local_day, answers.mood)
    firing = {}
    if mostly_low(answers.mood, answers.local_day, today=history.today):
        firing["support"] = Finding("support")
    found = more_than_usual((runs.local_day, runs.distance_m), said, history.today)
    if found is not None:
        facts = {"recent_m": found.recent_m, "usual_m": found.usual_m}
        firing["more_than_usual"] = Finding("more_than_usual", facts)
    return firing


KEPT: Kept[Figures] = Kept()
