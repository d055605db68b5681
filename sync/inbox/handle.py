"""Act on what Strava told us, one runner at a time."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import structlog

from sync import account_state, counters
from sync.errors import ConsentOutdated, GoingSoon, MoodmilesError, TryLater
from sync.inbox import rules, store
from sync.inbox.rules import Plan
from sync.inbox.store import Batch
from sync.queue import Work, shift
from sync.runners import disconnect
from sync.runners import store as runners
from sync.runs import pull
from sync.runs.rules import costs_an_attempt
from sync.runtime import Runtime
from sync.strava import Lane

log = structlog.get_logger()

WORTH_A_LIST = 2  # from here on one list read is the cheaper one


def drain(runtime: Runtime) -> None:
    """Act on everything that is due, until nothing is or the shift ends."""
    for batch in shift(runtime.queue, Work.INBOX, partial(_claim, runtime)):
        try:
            act(runtime, batch)
        finally:
            _release(runtime, batch.runner_id)


def _claim(runtime: Runtime) -> Batch | None:
    with runtime.db.transaction() as session:
        return store.claim(session, now=runtime.db.now(session))


def _release(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.transaction() as session:
        runners.release(session, runner_id)


def act(runtime: Runtime, batch: Batch) -> None:
    """Do what these events ask for; what cannot be done now stays due."""
    runner_id = batch.runner_id
    try:
        may_collect = _may_collect(runtime, runner_id)
    except GoingSoon:
        _wait_for_the_undo(runtime, batch)
        return
    plan = rules.plan(batch.events)
    for run_id, (visibility, event_ids) in plan.visibility.items():
        if pull.show(runtime, runner_id, run_id, visibility):
            _done(runtime, event_ids)
        else:
            plan.read(run_id, event_ids)
    if not may_collect:
        # Agreeing to the new text starts a comparison, which finds these runs.
        _done(runtime, [one for event_ids in plan.pull.values() for one in event_ids])
        plan.pull.clear()
    pull.hide(runtime, runner_id, list(plan.confirm_gone))
    _done(runtime, plan.nothing)

    if plan.revoked:
        _attempt(
            runtime,
            batch,
            plan.revoked,
            partial(disconnect.if_revoked, runtime, runner_id),
        )
    settled = _read_together(runtime, batch, plan)
    for read, wanted in (
        (pull.confirm_gone, plan.confirm_gone),
        (pull.pull, plan.pull),
    ):
        for run_id, event_ids in wanted.items():
            if run_id in settled:
                continue
            work = partial(read, runtime, runner_id, run_id, lane=Lane.NEW_RUN)
            _attempt(runtime, batch, event_ids, work)


def _may_collect(runtime: Runtime, runner_id: int) -> bool:
    """Whether something new may be kept; raises `GoingSoon`, as that can be undone."""
    try:
        with runtime.db.reading() as session:
            account_state.require(session, runner_id)
    except ConsentOutdated:
        return False
    return True


def _wait_for_the_undo(runtime: Runtime, batch: Batch) -> None:
    """Leave everything due: an undo finds it so, and a deletion takes it along."""
    event_ids = [event.id for event in batch.events]
    _postpone(runtime, batch, event_ids, TryLater("A deletion waits.", timedelta(0)))


def _read_together(runtime: Runtime, batch: Batch, plan: Plan) -> set[int]:
    """Answer several events with one list read; return the runs that are settled.

    What the list does not show is asked for by itself: absence proves nothing.
    """
    if len(plan.pull) < WORTH_A_LIST:
        return set()
    wanted = plan.pull | plan.confirm_gone
    try:
        found = pull.pull_together(
            runtime, batch.runner_id, wanted.keys(), lane=Lane.NEW_RUN
        )
    except MoodmilesError as error:
        waiting = [one for event_ids in plan.pull.values() for one in event_ids]
        _postpone(runtime, batch, waiting, error)
        return set(plan.pull)
    _done(runtime, [one for run_id in found for one in wanted[run_id]])
    return found


def _attempt(
    runtime: Runtime, batch: Batch, event_ids: list[int], work: Callable[[], None]
) -> None:
    try:
        work()
    except MoodmilesError as error:
        _postpone(runtime, batch, event_ids, error)
    else:
        _done(runtime, event_ids)


def _done(runtime: Runtime, event_ids: Sequence[int]) -> None:
    if event_ids:
        with runtime.db.transaction() as session:
            store.done(session, event_ids)


def _postpone(
    runtime: Runtime, batch: Batch, event_ids: list[int], error: MoodmilesError
) -> None:
    attempts = max(event.attempts for event in batch.events if event.id in event_ids)
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        due_at, parked_for = rules.settle(error, attempts=attempts, now=now)
        store.later(
            session,
            event_ids,
            due_at=due_at,
            parked_for=parked_for,
            free=not costs_an_attempt(error),
        )
        counters.trouble(session, error, at=now)
    if due_at is not None:
        runtime.queue.wake(Work.INBOX, after_s=(due_at - now).total_seconds())
    log.warning(
        "event postponed" if due_at else "event settled without a run",
        event_ids=event_ids,
        error=type(error).__name__,
        due_at=str(due_at),
    )
