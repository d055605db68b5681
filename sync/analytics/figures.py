"""All figures of one runner, computed once per change of their data."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from sync.analytics import store
from sync.analytics.comparisons import Groups
from sync.analytics.exploring import exploring
from sync.analytics.groups import Mean, mean
from sync.analytics.history import History
from sync.analytics.loads import Weeks, weekly
from sync.analytics.milestones import Decided, settle
from sync.analytics.notices import more_than_usual, mostly_low
from sync.analytics.panel import (
    NUMBER_FROM,
    Panel,
    Points,
    groups_panel,
    mileage_panel,
    pairs_panel,
    points,
)
from sync.analytics.panels import after_runs, mileage, questions, stress
from sync.analytics.sentences import Unit, note
from sync.database import Database
from sync.runtime import Runtime

MOST_KEPT = 32
_Key: TypeAlias = tuple[int, int, int, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a runner's pages say and draw, in the runner's unit.

    `mileage` has two views of one question: the week's distance and the run's.
    `notes` are about all of it; `notice` and `low` are rare and may be empty.
    """

    data_version: int
    unit: Unit
    after_runs: Panel
    mileage: Panel
    mileage_by_run: Panel
    stress: Panel
    exploring: tuple[Panel, ...]
    dots: Points
    dots_by_run: Points
    distance_weeks: Weeks
    mood_weeks: Weeks
    usual: Mean
    remembered: Mean
    asked: int
    answered: int
    notes: tuple[str, ...]
    notice: str | None
    low: bool

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
        key = (runner_id, owner.data_version, today, unit)
        kept = _KEPT.find(runtime.db, key)
        if kept is not None:
            return kept
        vault = runtime.sealer.vault(owner.vault_key)
        runs = store.run_rows(session, runner_id)
        answers = store.answer_rows(session, runner_id)
        asked = store.asked(session, runner_id)
        standing = store.decisions(session, runner_id, vault)
    about = store.About(zone=owner.zone, asked=asked, today=today)
    history = store.history(runs, answers, vault, about=about)
    decided = decide(history, standing, unit, now=now)
    fresh = {name: one for name, one in decided.items() if standing.get(name) != one}
    if fresh:
        with runtime.db.transaction() as session:
            store.keep(session, runner_id, vault, fresh)
    found = assemble(history, decided, unit, data_version=owner.data_version)
    _KEPT.keep(runtime.db, key, found)
    return found


def decide(
    history: History, standing: Mapping[str, Decided], unit: Unit, *, now: datetime
) -> dict[str, Decided]:
    """Return the sentences that stand now, by panel."""
    settled = {
        name: settle(question, standing.get(name), now=now)
        for name, question in questions(history, unit).items()
    }
    return {name: one for name, one in settled.items() if one is not None}


def assemble(
    history: History, decided: Mapping[str, Decided], unit: Unit, *, data_version: int
) -> Figures:
    """Draw every panel from one history."""
    runs, answers, miles = history.runs, history.answers, mileage(history)
    rested = history.rested
    explored = tuple(
        groups_panel(panel, decided.get(panel.name), unit)
        if isinstance(panel, Groups)
        else pairs_panel(panel, decided.get(panel.name), unit)
        for panel in exploring(history)
    )
    return Figures(
        data_version=data_version,
        unit=unit,
        after_runs=groups_panel(after_runs(history), decided.get("after_runs"), unit),
        mileage=mileage_panel(miles, decided.get("mileage"), unit),
        mileage_by_run=mileage_panel(
            miles, decided.get("mileage"), unit, by_week=False
        ),
        stress=groups_panel(stress(history), decided.get("stress"), unit),
        exploring=explored,
        dots=points(history, unit),
        dots_by_run=points(history, unit, by_week=False),
        distance_weeks=weekly(runs.distance_m, runs.local_day, through=history.today),
        mood_weeks=weekly(answers.mood, answers.local_day, through=history.today),
        usual=mean(answers.mood[rested], history.answer_days[rested]),
        remembered=_remembered(history),
        asked=max(history.asked, len(answers.id)),
        answered=len(answers.id),
        notes=_notes(history, len(explored)),
        notice=_notice(history, unit),
        low=mostly_low(answers.mood, answers.local_day, today=history.today),
    )


def _remembered(history: History) -> Mean:
    """Mood after a run minus mood before it as remembered."""
    told = history.after_run & ~np.isnan(history.answers.before)
    lift = history.answers.mood[told] - history.answers.before[told]
    return mean(lift, history.answer_days[told])


def _notes(history: History, panels: int) -> tuple[str, ...]:
    many = len(history.answers.id)
    said = [note("exploring", panels=panels)]
    if many:
        said.append(note("answered", answered=many, asked=max(history.asked, many)))
    if history.late.any():
        said.append(note("late"))
    remembered = _remembered(history)
    if remembered.n >= NUMBER_FROM:
        said.append(note("remembered", mean=remembered.mean))
    rested = history.rested
    if np.count_nonzero(rested) >= NUMBER_FROM:
        usual = float(history.answers.mood[rested].mean())
        said.append(note("usual", mean=usual, n=int(np.count_nonzero(rested))))
    return tuple(said)


def _notice(history: History, unit: Unit) -> str | None:
    runs, answers = history.runs, history.answers
    found = more_than_usual(
        (runs.local_day, runs.distance_m),
        (answers.local_day, answers.mood),
        history.today,
    )
    if found is None:
        return None
    return note("more_than_usual", unit, recent_m=found.recent_m, usual_m=found.usual_m)


class _Kept:
    """The last figures of a few runners, per database, shared by threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of: WeakKeyDictionary[Database, OrderedDict[_Key, Figures]]
        self._of = WeakKeyDictionary()

    def find(self, db: Database, key: _Key) -> Figures | None:
        with self._lock:
            kept = self._of.get(db, OrderedDict())
            if key in kept:
                kept.move_to_end(key)
            return kept.get(key)

    def keep(self, db: Database, key: _Key, figures: Figures) -> None:
        with self._lock:
            kept = self._of.setdefault(db, OrderedDict())
            for old in [one for one in kept if one[0] == key[0] and one[1] != key[1]]:
                del kept[old]
            kept[key] = figures
            while len(kept) > MOST_KEPT:
                kept.popitem(last=False)


_KEPT = _Kept()
