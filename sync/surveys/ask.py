"""Look at each new run once: decide, note why, and promise the mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from sqlalchemy.orm import Session

from sync.crypto import new_token, pairing_key, token_hash
from sync.mail import outbox
from sync.models import Run, Runner, Survey
from sync.queue import Work
from sync.runtime import Runtime
from sync.surveys import instruments, store, unsubscribe
from sync.surveys.policy import Policy, Preferences
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


@dataclass(frozen=True, slots=True)
class _Desk:
    """What lies on the desk while one runner's runs are decided."""

    runtime: Runtime
    session: Session
    runner: Runner
    linked_at: datetime
    now: datetime


def _decide_runner(runtime: Runtime, session: Session, runner_id: int) -> None:
    runner = store.lock(session, runner_id)
    if runner is None:
        return
    now = runtime.db.now(session)
    linked_at = store.linked_at(session, runner_id) or now
    desk = _Desk(runtime, session, runner, linked_at, now)
    runs = store.undecided(session, runner_id)
    _follow_zone(runner, runs)
    decisions = [_decide_run(desk, run, runs) for run in runs]
    if decisions:
        store.note(session, decisions)
    log.info("runs decided", runner_id=runner_id, runs=len(decisions))


def _decide_run(desk: _Desk, run: Run, at_once: Sequence[Run]) -> dict[str, object]:
    facts = store.facts(run)
    verdict = decide(facts, _situation(desk, run, facts, at_once), POLICY, now=desk.now)
    if isinstance(verdict, Send):
        _promise(desk, run, verdict)
    return {
        "run_id": run.id,
        "runner_id": run.runner_id,
        "verdict": "send" if isinstance(verdict, Send) else "withhold",
        "reason": verdict.reason,
        "minutes_since_end": minutes_since_end(facts, now=desk.now),
        "policy": POLICY.stored(),
        "decided_at": desk.now,
    }


def _situation(
    desk: _Desk, run: Run, facts: RunFacts, at_once: Sequence[Run]
) -> Situation:
    runner = desk.runner
    window = timedelta(minutes=POLICY.bulk_window_min)
    together = [
        other
        for other in at_once
        if abs(store.facts(other).learned_at - facts.learned_at) <= window
    ]
    recent = facts.started_at > desk.linked_at - timedelta(days=1)
    return Situation(
        linked_at=desk.linked_at,
        has_address=runner.email_confirmed_at is not None
        and runner.email_bounced_at is None,
        preferences=Preferences.of(runner.preferences),
        zone=zone_of(runner.zone),
        # A long past is imported without a query per run.
        asked=store.asked_lately(desk.session, runner.id, now=desk.now)
        if recent
        else (),
        runs_at_once=len(together),
        is_newest=run.id == together[-1].id,
        runs_since_asked=store.runs_since_asked(
            desk.session, runner.id, before=run.started_at
        )
        if recent
        else 0,
        asked_before=recent
        and store.asked_before(desk.session, pairing_key(run.source, run.source_id)),
    )


def _promise(desk: _Desk, run: Run, verdict: Send) -> None:
    if verdict.replaces is not None:
        replaced = desk.session.get_one(Survey, verdict.replaces)
        replaced.cancelled_for = "double"
        outbox.cancel(desk.session, replaced.id, "double")
    token = new_token()
    survey = Survey(
        runner_id=run.runner_id,
        run_id=run.id,
        pairing_key=pairing_key(run.source, run.source_id),
        kind="run",
        token_hash=token_hash(token),
        instrument=instruments.CURRENT,
        reversed_order=desk.runner.id % 2 == 1,
        created_at=desk.now,
        send_at=verdict.at,
        expires_at=verdict.expires_at,
    )
    desk.session.add(survey)
    desk.session.flush()
    preferences = Preferences.of(desk.runner.preferences)
    outbox.promise(
        desk.session,
        sealer=desk.runtime.sealer,
        now=desk.now,
        dedupe_key=f"survey:{survey.id}",
        kind="survey",
        runner_id=run.runner_id,
        survey_id=survey.id,
        values={
            "token": token,
            "unsubscribe_token": unsubscribe.token_for(desk.runtime, run.runner_id),
            "expires_at": verdict.expires_at,
            "zone": run.zone or desk.runner.zone,
            "run_started_at": run.started_at if run.start_known else None,
            "distance_m": run.distance_m if preferences.distance_in_mail else None,
            "units": preferences.units,
            "reversed_order": survey.reversed_order,
        },
        due_at=verdict.at,
        stale_at=verdict.expires_at - timedelta(hours=1),
    )


def _follow_zone(runner: Runner, runs: Sequence[Run]) -> None:
    """Quiet hours follow the runner: the zone of the newest run is the current one."""
    for run in reversed(runs):
        if run.zone is not None and zone_of(run.zone).key == run.zone:
            runner.zone = run.zone
            return


def zone_of(name: str) -> ZoneInfo:
    """Return the zone, or UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
