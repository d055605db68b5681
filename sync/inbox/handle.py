"""Act on what Strava told us, one runner at a time."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import structlog

from sync import account_state, counters
from sync.errors import ConsentOutdated, DeletionPending, MoodmilesError, TryLater
from sync.inbox import rules, store
from sync.inbox.rules import EventPlan
from sync.inbox.store import EventBatch
from sync.queue import Job, claim_until_idle
from sync.runners import disconnect
from sync.runners import store as runners
from sync.runs import pull
from sync.runs.rules import counts_as_attempt
from sync.runtime import Runtime
from sync.strava import Lane

log = structlog.get_logger()

MIN_RUNS_FOR_LIST = 2  # from here on one list read is the cheaper one


def process_due(runtime: Runtime) -> None:
    """Act on everything that is due, until nothing is or the shift ends."""
    for batch in claim_until_idle(
        runtime.queue, Job.INBOX, partial(_claim_batch, runtime)
    ):
        try:
            process_batch(runtime, batch)
        finally:
            _release_runner(runtime, batch.runner_id)


def _claim_batch(runtime: Runtime) -> EventBatch | None:
    with runtime.db.transaction() as session:
        return store.claim_next(session, now=runtime.db.now(session))


def _release_runner(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.transaction() as session:
        runners.release(session, runner_id)


def process_batch(runtime: Runtime, batch: EventBatch) -> None:
    """Do what these events ask for; what cannot be done now stays due."""
    runner_id = batch.runner_id
    try:
        may_collect = _may_collect(runtime, runner_id)
    except DeletionPending:
        _postpone_until_undo(runtime, batch)
        return
    plan = rules.plan_events(batch.events)
    for run_id, (visibility, event_ids) in plan.visibility.items():
        if pull.update_visibility(runtime, runner_id, run_id, visibility):
            _mark_done(runtime, event_ids)
        else:
            plan.add_read(run_id, event_ids)
    if not may_collect:
        # Agreeing to the new text starts a comparison, which finds these runs.
        _mark_done(
            runtime,
            [event_id for event_ids in plan.pull.values() for event_id in event_ids],
        )
        plan.pull.clear()
    pull.hide_runs(runtime, runner_id, list(plan.confirm_gone))
    _mark_done(runtime, plan.ignored)

    if plan.revoked:
        _attempt(
            runtime,
            batch,
            plan.revoked,
            partial(disconnect.disconnect_if_revoked, runtime, runner_id),
        )
    settled_run_ids = _pull_batch(runtime, batch, plan)
    for read_run, event_ids_by_run in (
        (pull.confirm_gone, plan.confirm_gone),
        (pull.pull_run, plan.pull),
    ):
        for run_id, event_ids in event_ids_by_run.items():
            if run_id in settled_run_ids:
                continue
            action = partial(read_run, runtime, runner_id, run_id, lane=Lane.NEW_RUN)
            _attempt(runtime, batch, event_ids, action)


def _may_collect(runtime: Runtime, runner_id: int) -> bool:
    """Whether something new may be kept; raises `GoingSoon`, as that can be undone."""
    try:
        with runtime.db.read_only() as session:
            account_state.require_active(session, runner_id)
    except ConsentOutdated:
        return False
    return True


def _postpone_until_undo(runtime: Runtime, batch: EventBatch) -> None:
    """Leave everything due: an undo finds it so, and a deletion takes it along."""
    event_ids = [event.id for event in batch.events]
    _postpone(runtime, batch, event_ids, TryLater("A deletion waits.", timedelta(0)))


def _pull_batch(runtime: Runtime, batch: EventBatch, plan: EventPlan) -> set[int]:
    """Answer several events with one list read; return the runs that are settled.

    What the list does not show is asked for by itself: absence proves nothing.
    """
    if len(plan.pull) < MIN_RUNS_FOR_LIST:
        return set()
    event_ids_by_run = plan.pull | plan.confirm_gone
    try:
        settled_run_ids = pull.pull_batch(
            runtime, batch.runner_id, event_ids_by_run.keys(), lane=Lane.NEW_RUN
        )
    except MoodmilesError as error:
        postponed_ids = [
            event_id for event_ids in plan.pull.values() for event_id in event_ids
        ]
        _postpone(runtime, batch, postponed_ids, error)
        return set(plan.pull)
    _mark_done(
        runtime,
        [
            event_id
            for run_id in settled_run_ids
            for event_id in event_ids_by_run[run_id]
        ],
    )
    return settled_run_ids


def _attempt(
    runtime: Runtime,
    batch: EventBatch,
    event_ids: list[int],
    action: Callable[[], None],
) -> None:
    try:
        action()
    except MoodmilesError as error:
        _postpone(runtime, batch, event_ids, error)
    else:
        _mark_done(runtime, event_ids)


def _mark_done(runtime: Runtime, event_ids: Sequence[int]) -> None:
    if event_ids:
        with runtime.db.transaction() as session:
            store.mark_done(session, event_ids)


def _postpone(
    runtime: Runtime, batch: EventBatch, event_ids: list[int], error: MoodmilesError
) -> None:
    attempts = max(event.attempts for event in batch.events if event.id in event_ids)
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        due_at, failed_reason = rules.decide_retry(error, attempts=attempts, now=now)
        store.postpone(
            session,
            event_ids,
            due_at=due_at,
            failed_reason=failed_reason,
            is_free=not counts_as_attempt(error),
        )
        counters.record_strava_error(session, error, at=now)
    if due_at is not None:
        runtime.queue.wake(Job.INBOX, after_s=(due_at - now).total_seconds())
    log.warning(
        "event postponed" if due_at else "event settled without a run",
        event_ids=event_ids,
        error=type(error).__name__,
        due_at=str(due_at),
    )
