"""All figures of one runner, computed once per change of their data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from sync.analytics.dataset.build_history import HistoryContext, build_history
from sync.analytics.dataset.cache import RunnerCache
from sync.analytics.dataset.history import History
from sync.analytics.dataset.load import ROWS_CACHE, read_rows
from sync.analytics.panels.definition import list_fairness_remarks
from sync.analytics.panels.discovery import ComparedPanel, compare_all
from sync.analytics.panels.host_questions import (
    HostQuestion,
    compare_host_questions,
)
from sync.analytics.panels.panel import MIN_FOR_NUMBERS, Panel
from sync.analytics.sentences import store
from sync.analytics.sentences.catalogue import (
    METRES_PER_UNIT,
    NOTICES,
    LocalizedText,
    Unit,
    build_note,
)
from sync.analytics.sentences.milestones import Outcome, PanelDecision, decide_question
from sync.analytics.sentences.rare_notices import (
    NOTICE_STATE,
    detect_mileage_increase,
    find_current_notice,
    is_mostly_low,
    rate_limit,
)
from sync.analytics.sentences.store import Look
from sync.analytics.stats.groups import estimate_mean
from sync.conflicts import retry_conflicts
from sync.runners import store as runners
from sync.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a runner's pages say and draw, in the runner's unit.

    Texts are in no language until they are read: `notes`, `notice` and `support`
    are in the language active then.

    `panels` are in the order of pages.  `notes` are about all of them.  `notice` and
    `support` are rare: each shows for a week, and not again for four and two weeks.
    Beside `support` belong the lines of `sync.support.directory`.
    """

    data_version: int
    unit: Unit
    panels: tuple[Panel, ...]
    remarks: tuple[LocalizedText, ...]
    notice_text: LocalizedText | None
    support_text: LocalizedText | None

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(remark.render() for remark in self.remarks)

    @property
    def notice(self) -> str | None:
        return self.notice_text.render(self.unit) if self.notice_text else None

    @property
    def support(self) -> str | None:
        return self.support_text.render(self.unit) if self.support_text else None

    @property
    def headline(self) -> tuple[Panel, ...]:
        """Return the questions that were fixed in advance, in their order."""
        return tuple(panel for panel in self.panels if not panel.is_exploratory)

    @property
    def exploratory(self) -> tuple[Panel, ...]:
        return tuple(panel for panel in self.panels if panel.is_exploratory)

    @property
    def mileage(self) -> Panel:
        """Return the panel whose sentence leads the dashboard and the digest."""
        return next(panel for panel in self.panels if panel.name == "mileage")


def load_figures(
    runtime: Runtime,
    runner_id: int,
    *,
    is_complete: bool = False,
    host_questions: tuple[HostQuestion, ...] = (),
) -> Figures:
    """Return the runner's figures; from the cache while nothing has changed.

    They hold the dashboard's panels, and every panel if `is_complete`, with one for
    each of `host_questions`.  All sentences are decided in either case.
    """
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        snapshot = store.load_runner_snapshot(session, runner_id)
        unit: Unit = "mi" if snapshot.units == "mi" else "km"
        today = store.compute_local_day(now, snapshot.zone)
        state = (snapshot.vault_key, snapshot.data_version)
        scope = (is_complete, host_questions)
        key = (runner_id, state, (today, unit, snapshot.zone.key, scope))
        cached = FIGURES_CACHE.get(runtime.db, key)
        if cached is not None:
            return cached
        vault = runtime.sealer.open_vault(snapshot.vault_key)
        rows = ROWS_CACHE.get(runtime.db, (runner_id, state, None)) or read_rows(
            session, runner_id, vault
        )
        asked_count = store.count_asked(session, runner_id)
        stored = store.load_stored_decisions(session, runner_id, vault)
    context = HistoryContext(
        snapshot.zone,
        asked_count,
        today,
        first_weekday=snapshot.first_weekday,
        metres_per_unit=METRES_PER_UNIT[unit],
    )
    history = build_history(rows, context=context)
    panels = compare_all(history)
    decisions = decide_sentences(history, panels, stored.decisions, now=now)
    version = snapshot.data_version
    look = Look(version, today)
    # Whether anything was decided anew must not show in what is written.
    if not stored.is_from(look, decisions):
        read_notices = stored.decisions.get(NOTICE_STATE)
        _save_decisions(runtime, runner_id, decisions, look, read_notices=read_notices)
    notices = {
        name: find_current_notice(decisions.get(NOTICE_STATE), name, now=now)
        for name in NOTICES
    }
    notice_texts = {
        name: LocalizedText(NOTICES[name], outcome.facts) if outcome else None
        for name, outcome in notices.items()
    }
    figures = Figures(
        data_version=version,
        unit=unit,
        panels=draw_panels(
            [
                panel
                for panel in (*panels, *compare_host_questions(history, host_questions))
                if is_complete or panel.definition.is_on_dashboard
            ],
            decisions,
            unit,
        ),
        remarks=_build_remarks(history, panels),
        notice_text=notice_texts["more_than_usual"],
        support_text=notice_texts["support"],
    )
    FIGURES_CACHE.put(runtime.db, key, figures)
    return figures


@retry_conflicts
def _save_decisions(
    runtime: Runtime,
    runner_id: int,
    decisions: Mapping[str, PanelDecision | None],
    look: Look,
    *,
    read_notices: PanelDecision | None,
) -> None:
    """Store decisions that were made from what `read_notices` was among."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        # The key may have been replaced since the figures were read.
        vault = runners.open_vault(session, runtime.sealer, runner_id)
        standing = store.load_decisions(session, runner_id, vault).get(NOTICE_STATE)
        if standing != read_notices:
            # A mail has named people to talk to meanwhile: that must stay known.
            decisions = {**decisions, NOTICE_STATE: standing}
        store.save_decisions(session, runner_id, vault, decisions, look)


def decide_sentences(
    history: History,
    panels: Sequence[ComparedPanel],
    stored_decisions: Mapping[str, PanelDecision],
    *,
    now: datetime,
) -> dict[str, PanelDecision | None]:
    """Return the decision that stands now for each panel, and the notices' state."""
    decisions = {
        panel.name: decide_question(
            panel.comparison.build_question(panel.name),
            stored_decisions.get(panel.name),
            now=now,
        )
        for panel in panels
    }
    decisions[NOTICE_STATE] = rate_limit(
        stored_decisions.get(NOTICE_STATE), _detect_notices(history), now=now
    )
    return decisions


def draw_panels(
    panels: Sequence[ComparedPanel],
    decisions: Mapping[str, PanelDecision | None],
    unit: Unit,
) -> tuple[Panel, ...]:
    """Draw every panel, with the decision that stands about it."""
    return tuple(
        panel.definition.draw(panel.comparison, decisions.get(panel.name), unit)
        for panel in panels
    )


def _build_remarks(
    history: History, panels: Sequence[ComparedPanel]
) -> tuple[LocalizedText, ...]:
    answers, answer_count = history.answers, len(history.answers.mood)
    n_exploratory = sum(not panel.definition.is_fixed for panel in panels)
    remarks = [build_note("exploring", panels=n_exploratory), *list_fairness_remarks()]
    if answer_count:
        asked_count = max(history.asked_count, answer_count)
        remarks.append(build_note("answered", answered=answer_count, asked=asked_count))
    if history.is_late.any():
        remarks.append(build_note("late"))
    has_both_moods = history.is_after_run & ~np.isnan(answers.before)
    change = answers.mood[has_both_moods] - answers.before[has_both_moods]
    remembered_change = estimate_mean(change, history.answer_days[has_both_moods])
    if remembered_change.n >= MIN_FOR_NUMBERS:
        remarks.append(build_note("remembered", mean=remembered_change.mean))
    rest_moods = answers.mood[history.is_rest_day]
    if len(rest_moods) >= MIN_FOR_NUMBERS:
        remarks.append(
            build_note("usual", mean=float(rest_moods.mean()), n=len(rest_moods))
        )
    return tuple(remarks)


def _detect_notices(history: History) -> dict[str, Outcome]:
    """Return those of the two rare notices that today's data give."""
    runs, answers, today = history.runs, history.answers, history.today
    notices = {}
    if is_mostly_low(answers.mood, answers.local_day, today=today):
        notices["support"] = Outcome("support")
    increase = detect_mileage_increase(
        runs.local_day, runs.distance_m, answers.local_day, answers.mood, today
    )
    if increase is not None:
        facts = {"recent_m": increase.recent_m, "usual_m": increase.usual_m}
        notices["more_than_usual"] = Outcome("more_than_usual", facts)
    return notices


FIGURES_CACHE: RunnerCache[Figures] = RunnerCache()
