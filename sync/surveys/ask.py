"""Look at each new run once: decide, note why, and promise the mail."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from time import monotonic

import structlog
from sqlalchemy.orm import Session

from sync.crypto import pairing_key
from sync.mail.quiet import zone_of
from sync.models import Run, Survey
from sync.queue import Work
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import again, pairing, promise, store
from sync.surveys.caps import ignored_in_a_row, reminders_ignored
from sync.surveys.policy import Policy
from sync.surveys.promise import Desk
from sync.surveys.rules import (
    RunFacts,
    Send,
    Situation,
    decide,
    minutes_since_end,
)

log = structlog.get_logger()

POLICY = Policy()
SHIFT_S = 20


def drain(runtime: Runtime) -> None:
    """Decide about every run that no decision exists for yet."""
    runtime.queue.woken(Work.SURVEYS)
    ends_at = monotonic() + SHIFT_S
    with runtime.db.transaction() as session:
        again.reconsider(session, POLICY)
    while waiting := _waiting(runtime):
        for runner_id in waiting:
            with runtime.db.transaction() as session:
                _decide_runner(runtime, session, runner_id)
        if monotonic() > ends_at:
            runtime.queue.wake(Work.SURVEYS)
            return


def _waiting(runtime: Runtime) -> Sequence[int]:
    with runtime.db.reading() as session:
        return store.waiting_runners(session)


def _decide_runner(runtime: Runtime, session: Session, runner_id: int) -> None:
    runner = store.lock(session, runner_id)
    if runner is None:
        return
    now = runtime.db.now(session)
    linked_at = store.linked_at(session, runner_id) or now
    desk = Desk(runtime, session, runner, linked_at, now, POLICY)
    runs = store.undecided(session, runner_id)
    _follow_zone(desk, runs)
    # All are decided before any is noted: a later one may take an earlier one over.
    decided = [_decide_run(desk, run, runs) for run in runs]
    decisions = [_as_it_stands(decision, survey) for decision, survey in decided]
    if decisions:
        store.note(session, decisions)
        pairing.runs_arrived(session, runner_id, _recent(desk, runs))
    log.info("runs decided", runner_id=runner_id, runs=len(decisions))


def _decide_run(
    desk: Desk, run: Run, at_once: Sequence[Run]
) -> tuple[dict[str, object], Survey | None]:
    facts = store.facts(run)
    situation = _situation(desk, run, facts, at_once)
    verdict = decide(facts, situation, desk.policy, now=desk.now)
    survey = None
    if isinstance(verdict, Send):
        survey = promise.run_question(desk, run, verdict)
    elif verdict.reason == "five unanswered":
        promise.slow_down_question(desk, unanswered=situation.ignored)
    decision: dict[str, object] = {
        "run_id": run.id,
        "runner_id": run.runner_id,
        "verdict": "send" if isinstance(verdict, Send) else "withhold",
        "reason": verdict.reason,
        "minutes_since_end": minutes_since_end(facts, now=desk.now),
        "policy": desk.policy.stored(),
        "decided_at": desk.now,
    }
    return decision, survey


def _as_it_stands(
    decision: dict[str, object], survey: Survey | None
) -> dict[str, object]:
    if survey is None or survey.cancelled_for is None:
        return decision
    return decision | {"verdict": "withhold", "reason": survey.cancelled_for}


def _situation(
    desk: Desk, run: Run, facts: RunFacts, at_once: Sequence[Run]
) -> Situation:
    runner = desk.runner
    window = timedelta(minutes=desk.policy.bulk_window_min)
    together = [
        other
        for other in at_once
        if abs(store.facts(other).learned_at - facts.learned_at) <= window
    ]
    known = Situation(
        has_address=runner.email_confirmed_at is not None
        and runner.email_bounced_at is None,
        preferences=desk.preferences,
        zone=zone_of(runner.zone),
        asked=(),
        runs_at_once=len(together),
        is_newest=run.id == together[-1].id,
        runs_since_asked=0,
    )
    # A long past is imported without a query per run.
    return _with_history(desk, run, known) if run in _recent(desk, [run]) else known


def _with_history(desk: Desk, run: Run, known: Situation) -> Situation:
    """Add what was asked lately, and how the runner took it."""
    session, runner_id, now = desk.session, desk.runner.id, desk.now
    key = pairing_key(run.source, run.source_id)
    again.forget_unasked(session, key)
    since = desk.preferences.slowed_since
    silences = store.silences(session, runner_id, since=since, now=now)
    return replace(
        known,
        asked=store.asked_lately(session, runner_id, now=now),
        mailed=store.mailed_lately(session, runner_id, now=now),
        runs_since_asked=store.runs_since_asked(
            session, runner_id, before=run.started_at
        ),
        asked_before=store.asked_before(session, key),
        ignored=ignored_in_a_row(silences),
        reminders_ignored=reminders_ignored(silences),
    )


def _recent(desk: Desk, runs: Sequence[Run]) -> list[Run]:
    oldest = desk.linked_at - timedelta(days=1)
    return [run for run in runs if run.started_at > oldest]


def _follow_zone(desk: Desk, runs: Sequence[Run]) -> None:
    """Quiet hours follow the runner: the zone of the newest run is the current one."""
    newest = runs[-1] if runs else None
    if newest is None or newest.zone is None:
        return
    if newest.started_at != store.newest_start(desk.session, desk.runner.id):
        return  # an old one that was imported late says nothing about today
    if newest.zone != desk.runner.zone and zone_of(newest.zone).key == newest.zone:
        desk.runner.zone = newest.zone
        # Check-ins fall on the new zone's days: what was drawn is out of date.
        runners.changed(desk.session, desk.runner.id)
