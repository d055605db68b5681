"""All figures of one runner, computed once per change of their data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from sync.analytics.dataset.cache import RunnerCache
from sync.analytics.dataset.columns import HistoryContext, build_history
from sync.analytics.dataset.history import History
from sync.analytics.dataset.load import ROWS_CACHE as KEPT_ROWS
from sync.analytics.dataset.load import read_rows
from sync.analytics.panels.comparisons import GroupComparison, PairComparison
from sync.analytics.panels.panel import (
    MIN_FOR_NUMBERS,
    Panel,
    build_groups_panel,
    build_mileage_panel,
    build_pairs_panel,
    redraw_by_run_distance,
)
from sync.analytics.panels.registry import PanelData, build_panel_data
from sync.analytics.sentences import store
from sync.analytics.sentences.localized_text import (
    Finding,
    LocalizedText,
    Unit,
    build_note,
)
from sync.analytics.sentences.milestones import PanelDecision, decide_question
from sync.analytics.sentences.rare_notices import (
    NOTICE_STATE,
    detect_mileage_increase,
    find_current_notice,
    is_mostly_low,
    rate_limit,
)
from sync.analytics.stats.groups import Mean, estimate_mean
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
    exploratory: tuple[Panel, ...]
    remarks: tuple[LocalizedText, ...]
    notice_text: LocalizedText | None
    support_text: LocalizedText | None

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(remark.render() for remark in self.remarks)

    @property
    def notice(self) -> str | None:
        return self.notice_text.render() if self.notice_text else None

    @property
    def support(self) -> str | None:
        return self.support_text.render() if self.support_text else None

    @property
    def headline(self) -> tuple[Panel, Panel, Panel]:
        """The three questions that were fixed in advance, in their order."""
        return self.after_runs, self.mileage, self.stress


def load_figures(runtime: Runtime, runner_id: int) -> Figures:
    """Return the runner's figures; from memory while nothing has changed."""
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        snapshot = store.load_runner_snapshot(session, runner_id)
        unit: Unit = "mi" if snapshot.units == "mi" else "km"
        today = store.compute_local_day(now, snapshot.zone)
        state = (snapshot.vault_key, snapshot.data_version)
        key = (runner_id, state, (today, unit, snapshot.zone.key))
        cached = FIGURES_CACHE.get(runtime.db, key)
        if cached is not None:
            return cached
        vault = runtime.sealer.open_vault(snapshot.vault_key)
        rows = KEPT_ROWS.get(runtime.db, (runner_id, state, None)) or read_rows(
            session, runner_id, vault
        )
        asked_count = store.count_asked(session, runner_id)
        stored_decisions = store.load_decisions(session, runner_id, vault)
    context = HistoryContext(
        snapshot.zone, asked_count, today, first_weekday=snapshot.first_weekday
    )
    panels = build_panel_data(build_history(rows, context=context))
    decisions = decide_sentences(panels, stored_decisions, unit, now=now)
    changed_decisions = {
        name: decision
        for name, decision in decisions.items()
        if stored_decisions.get(name) != decision
    }
    if changed_decisions:
        with runtime.db.transaction() as session:
            version = snapshot.data_version
            store.save_decisions(
                session, runner_id, vault, changed_decisions, data_version=version
            )
    figures = assemble_figures(
        panels, decisions, unit, data_version=snapshot.data_version, now=now
    )
    FIGURES_CACHE.put(runtime.db, key, figures)
    return figures


def decide_sentences(
    panels: PanelData,
    stored_decisions: Mapping[str, PanelDecision],
    unit: Unit,
    *,
    now: datetime,
) -> dict[str, PanelDecision]:
    """Return the sentences that stand now, by panel, and the two rare notices."""
    decisions = {
        name: decide_question(question, stored_decisions.get(name), now=now)
        for name, question in panels.build_questions(unit).items()
    }
    decisions[NOTICE_STATE] = rate_limit(
        stored_decisions.get(NOTICE_STATE), _detect_notices(panels.history), now=now
    )
    return {
        name: decision for name, decision in decisions.items() if decision is not None
    }


def assemble_figures(
    panels: PanelData,
    decisions: Mapping[str, PanelDecision],
    unit: Unit,
    *,
    data_version: int,
    now: datetime,
) -> Figures:
    """Draw every panel of one history."""
    mileage = build_mileage_panel(panels.mileage, decisions.get("mileage"), unit)
    return Figures(
        data_version=data_version,
        unit=unit,
        after_runs=_build_panel(panels.after_runs, decisions, unit),
        mileage=mileage,
        mileage_by_run=redraw_by_run_distance(mileage, panels.mileage, unit),
        stress=_build_panel(panels.stress, decisions, unit),
        exploratory=tuple(
            _build_panel(panel, decisions, unit) for panel in panels.exploratory
        ),
        remarks=_build_remarks(panels),
        notice_text=_current_notice_text(decisions, "more_than_usual", unit, now),
        support_text=_current_notice_text(decisions, "support", unit, now),
    )


def _build_panel(
    panel: GroupComparison | PairComparison,
    decisions: Mapping[str, PanelDecision],
    unit: Unit,
) -> Panel:
    decision = decisions.get(panel.name)
    if isinstance(panel, GroupComparison):
        return build_groups_panel(panel, decision, unit)
    return build_pairs_panel(panel, decision, unit)


def _mean_remembered_change(history: History) -> Mean:
    """Mood after a run minus mood before it as remembered."""
    has_both_moods = history.is_after_run & ~np.isnan(history.answers.before)
    change = (
        history.answers.mood[has_both_moods] - history.answers.before[has_both_moods]
    )
    return estimate_mean(change, history.answer_days[has_both_moods])


def _build_remarks(panels: PanelData) -> tuple[LocalizedText, ...]:
    history = panels.history
    answer_count = len(history.answers.mood)
    remarks = [build_note("exploring", panels=len(panels.exploratory))]
    if answer_count:
        remarks.append(
            build_note(
                "answered",
                answered=answer_count,
                asked=max(history.asked_count, answer_count),
            )
        )
    if history.is_late.any():
        remarks.append(build_note("late"))
    remembered_change = _mean_remembered_change(history)
    if remembered_change.n >= MIN_FOR_NUMBERS:
        remarks.append(build_note("remembered", mean=remembered_change.mean))
    rest_day_moods = history.answers.mood[history.is_rest_day]
    if len(rest_day_moods) >= MIN_FOR_NUMBERS:
        remarks.append(
            build_note(
                "usual", mean=float(rest_day_moods.mean()), n=len(rest_day_moods)
            )
        )
    return tuple(remarks)


def _current_notice_text(
    decisions: Mapping[str, PanelDecision], name: str, unit: Unit, now: datetime
) -> LocalizedText | None:
    finding = find_current_notice(decisions.get(NOTICE_STATE), name, now=now)
    return finding.localize(unit) if finding else None


def _detect_notices(history: History) -> dict[str, Finding]:
    """Which of the two rare notices today's data would give."""
    runs, answers = history.runs, history.answers
    answered = (answers.local_day, answers.mood)
    notices = {}
    if is_mostly_low(answers.mood, answers.local_day, today=history.today):
        notices["support"] = Finding("support")
    increase = detect_mileage_increase(
        (runs.local_day, runs.distance_m), answered, history.today
    )
    if increase is not None:
        facts = {"recent_m": increase.recent_m, "usual_m": increase.usual_m}
        notices["more_than_usual"] = Finding("more_than_usual", facts)
    return notices


FIGURES_CACHE: RunnerCache[Figures] = RunnerCache()
