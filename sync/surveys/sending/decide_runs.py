"""Look at each new run once: decide, note why, and promise the mail."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from time import monotonic

import structlog
from sqlalchemy.orm import Session

from sync.crypto import pairing_key
from sync.mail.quiet_hours import zone_of
from sync.models import Run, Survey
from sync.queue import Work
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import store
from sync.surveys.answering import pairing
from sync.surveys.policy.frequency import ignored_in_a_row, reminders_ignored
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import (
    RunFacts,
    Send,
    Situation,
    Verdict,
    at_once,
    decide,
    minutes_since_end,
)
from sync.surveys.sending import reevaluate, schedule
from sync.surveys.sending.schedule import Desk

log = structlog.get_logger()

POLICY = Policy()
SHIFT_S = 20


def drain(runtime: Runtime) -> None:
    """Decide about every run that no decision exists for yet."""
    runtime.queue.woken(Work.SURVEYS)
    ends_at = monotonic() + SHIFT_S
    with runtime.db.transaction() as session:
        reevaluate.reconsider(session, POLICY)
    while waiting := _waiting(runtime):
        for runner_id in waiting:
            has_more = True
            while has_more:
                if monotonic() > ends_at:
                    runtime.queue.wake(Work.SURVEYS)
                    return
                with runtime.db.transaction() as session:
                    has_more = _decide_runner(runtime, session, runner_id)


def _waiting(runtime: Runtime) -> Sequence[int]:
    with runtime.db.reading() as session:
        return store.waiting_runners(session)


def _decide_runner(runtime: Runtime, session: Session, runner_id: int) -> bool:
    """Decide about a batch of the runner's runs; return whether there may be more."""
    runner = store.lock(session, runner_id)
    if runner is None:
        return False
    now = runtime.db.now(session)
    linked_at = store.linked_at(session, runner_id) or now
    desk = Desk(runtime, session, runner, linked_at, now, POLICY)
    undecided = store.undecided(session, runner_id)
    if not undecided:
        return False  # another worker was here first
    _follow_zone(desk, undecided[-1])
    recent = store.runs(
        session, [one.run_id for one in undecided if _is_new(desk, one)]
    )
    # All are decided before any is noted: a later one may take an earlier one over.
    decided = _decide_all(desk, undecided, {run.id: run for run in recent})
    decisions = [_as_it_stands(decision, survey) for decision, survey in decided]
    store.note(session, decisions)
    pairing.runs_arrived(session, runner_id, recent)
    log.info("runs decided", runner_id=runner_id, runs=len(decisions))
    return len(decisions) == store.BATCH


def _decide_all(
    desk: Desk, undecided: Sequence[RunFacts], recent: Mapping[int, Run]
) -> list[tuple[dict[str, object], Survey | None]]:
    """Decide about each run in turn; only `recent` ones ask for a look at the past.

    The others come first, and nothing that is decided about them changes what the
    next one is judged by: a long past is imported without a query per run.
    """
    crowds = at_once(undecided, desk.policy)
    known = _situation(desk)
    alike = {crowd: _in(crowd, known) for crowd in set(crowds)}
    policy = desk.policy.stored()
    decided = []
    for facts, crowd in zip(undecided, crowds, strict=True):
        run = recent.get(facts.run_id)
        situation = (
            alike[crowd] if run is None else _in(crowd, _with_history(desk, run))
        )
        verdict = decide(facts, situation, desk.policy, now=desk.now)
        survey = _act_on(desk, facts, verdict, unanswered=situation.ignored)
        decision: dict[str, object] = {
            "run_id": facts.run_id,
            "runner_id": desk.runner.id,
            "verdict": "send" if isinstance(verdict, Send) else "withhold",
            "reason": verdict.reason,
            "minutes_since_end": minutes_since_end(facts, now=desk.now),
            "policy": policy,
            "decided_at": desk.now,
        }
        decided.append((decision, survey))
    return decided


def _act_on(
    desk: Desk, facts: RunFacts, verdict: Verdict, *, unanswered: int
) -> Survey | None:
    """Promise the mail that follows from a verdict; return the survey if it asks."""
    if isinstance(verdict, Send):
        run = desk.session.get_one(Run, facts.run_id)
        return schedule.run_question(desk, run, verdict)
    if verdict.reason == "five unanswered":
        schedule.slow_down_question(desk, unanswered=unanswered)
    return None


def _as_it_stands(
    decision: dict[str, object], survey: Survey | None
) -> dict[str, object]:
    if survey is None or survey.cancelled_for is None:
        return decision
    return decision | {"verdict": "withhold", "reason": survey.cancelled_for}


def _situation(desk: Desk) -> Situation:
    """Return how the runner stands, without what was asked lately."""
    runner = desk.runner
    return Situation(
        has_address=runner.email_confirmed_at is not None
        and runner.email_bounced_at is None,
        preferences=desk.preferences,
        zone=zone_of(runner.zone),
        asked=(),
        runs_at_once=1,
        is_newest=True,
        runs_since_asked=0,
    )


def _in(crowd: tuple[int, bool], situation: Situation) -> Situation:
    runs_at_once, is_newest = crowd
    return replace(situation, runs_at_once=runs_at_once, is_newest=is_newest)


def _with_history(desk: Desk, run: Run) -> Situation:
    """Return how the runner stands, what was asked lately, and how they took it."""
    session, runner_id, now = desk.session, desk.runner.id, desk.now
    key = pairing_key(run.source, run.source_id)
    reevaluate.forget_unasked(session, key)
    since = desk.preferences.slowed_since
    silences = store.silences(session, runner_id, since=since, now=now)
    return replace(
        _situation(desk),
        asked=store.asked_lately(session, runner_id, now=now),
        mailed=store.mailed_lately(session, runner_id, now=now),
        runs_since_asked=store.runs_since_asked(
            session, runner_id, before=run.started_at, now=now
        ),
        asked_before=store.asked_before(session, key),
        ignored=ignored_in_a_row(silences),
        reminders_ignored=reminders_ignored(silences),
    )


def _is_new(desk: Desk, run: RunFacts) -> bool:
    """Whether the runner may have been asked about runs when this one began."""
    return run.started_at > desk.linked_at - timedelta(days=1)


def _follow_zone(desk: Desk, last: RunFacts) -> None:
    """Quiet hours follow the runner: the zone of the newest run is the current one."""
    newest = store.newest(desk.session, desk.runner.id)
    if newest is None or newest.zone is None:
        return
    if newest.started_at != last.started_at:
        return  # an old one that was imported late says nothing about today
    if newest.zone != desk.runner.zone and zone_of(newest.zone).key == newest.zone:
        desk.runner.zone = newest.zone
        # Check-ins fall on the new zone's days: what was drawn is out of date.
        runners.changed(desk.session, desk.runner.id)
