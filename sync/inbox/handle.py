"""Act on what Strava told us, one runner at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain, groupby

from sqlalchemy.orm import Session
from typing_extensions import override

from sync import account_state, work
from sync.errors import ConsentOutdated, DeletionPending, TryLater
from sync.inbox import rules, store
from sync.inbox.rules import EventPlan
from sync.inbox.store import EventBatch
from sync.queue import Job
from sync.runners import disconnect
from sync.runners import store as runners
from sync.runs import pull
from sync.runtime import Runtime
from sync.strava import Lane
from sync.work import DueWork, Failure, Retry

MIN_RUNS_FOR_LIST = 2  # from here on one list read is the cheaper one


class InboxWork(DueWork[EventBatch]):
    """The due events of one runner; what fails concerns some of them alone."""

    job = Job.INBOX
    reads_strava = True

    @override
    def claim(self, runtime: Runtime) -> Iterator[EventBatch]:
        while True:
            with runtime.db.transaction() as session:
                batch = store.claim_next(session, now=runtime.db.now(session))
            if batch is None:
                return
            yield batch

    @override
    def handle(self, runtime: Runtime, item: EventBatch) -> None:
        plan = rules.plan_events(item.events)
        may_collect = _may_collect(runtime, item.runner_id)
        for run_id, change in plan.visibility.items():
            update = partial(_update_visibility, runtime, item.runner_id, plan, run_id)
            work.attempt(runtime, self, item.subset(change.event_ids), update)
        if not may_collect:
            # Agreeing to the new text starts a comparison, which finds these runs.
            plan.ignored += chain.from_iterable(plan.pull.values())
            plan.pull.clear()
        if plan.confirm_gone:
            # They go out of sight at once, whatever Strava says when it is asked.
            pull.hide_runs(runtime, item.runner_id, plan.confirm_gone.keys())
        _mark_done(runtime, plan.ignored)
        if plan.revoked:
            revoke = partial(disconnect.disconnect_if_revoked, runtime, item.runner_id)
            self._attempt(runtime, item, plan.revoked, revoke)
        shown_ids = self._read_list(runtime, item, plan)
        for read_run, event_ids_by_run in (
            (pull.confirm_gone, plan.confirm_gone),
            (pull.pull_run, plan.pull),
        ):
            for run_id in event_ids_by_run.keys() - shown_ids:
                read = partial(
                    read_run, runtime, item.runner_id, run_id, lane=Lane.NEW_RUN
                )
                self._attempt(runtime, item, event_ids_by_run[run_id], read)

    @override
    def postpone(self, session: Session, item: EventBatch, failure: Failure) -> Retry:
        retries = []
        by_attempts = sorted(item.events, key=lambda event: event.attempts)
        for attempts, events in groupby(by_attempts, key=lambda event: event.attempts):
            retry = rules.decide_retry(failure.error, attempts=attempts, now=failure.at)
            event_ids = [event.id for event in events]
            store.postpone(session, event_ids, retry, is_free=failure.is_free)
            retries.append(retry)
        return Retry(
            due_at=min(
                (retry.due_at for retry in retries if retry.due_at), default=None
            ),
            is_given_up=any(retry.is_given_up for retry in retries),
        )

    @override
    def release(self, runtime: Runtime, item: EventBatch) -> None:
        with runtime.db.transaction() as session:
            runners.release(session, item.runner_id)

    @override
    def attempts(self, item: EventBatch) -> int:
        return max((event.attempts for event in item.events), default=0)

    @override
    def log_ids(self, item: EventBatch) -> Mapping[str, object]:
        event_ids = [event.id for event in item.events]
        return {"runner_id": item.runner_id, "event_ids": event_ids}

    def _read_list(
        self, runtime: Runtime, batch: EventBatch, plan: EventPlan
    ) -> set[int]:
        """Answer several events with one list read; return the runs it showed.

        What the list does not show is read by itself: absence proves nothing.
        """
        shown_ids: set[int] = set()
        if len(plan.pull) < MIN_RUNS_FOR_LIST:
            return shown_ids
        event_ids_by_run = plan.pull | plan.confirm_gone

        def read() -> None:
            shown_ids.update(
                pull.pull_batch(
                    runtime,
                    batch.runner_id,
                    event_ids_by_run.keys(),
                    lane=Lane.NEW_RUN,
                )
            )
            answered = [event_ids_by_run[run_id] for run_id in shown_ids]
            _mark_done(runtime, [*chain.from_iterable(answered)])

        postponable = batch.subset([*chain.from_iterable(plan.pull.values())])
        if not work.attempt(runtime, self, postponable, read):
            plan.pull.clear()  # they wait for the next attempt
        return shown_ids

    def _attempt(
        self,
        runtime: Runtime,
        batch: EventBatch,
        event_ids: Sequence[int],
        action: Callable[[], object],
    ) -> None:
        """Act for some of the events; then settle these, or postpone just these."""

        def act() -> None:
            action()
            _mark_done(runtime, event_ids)

        work.attempt(runtime, self, batch.subset(event_ids), act)


def process_due(runtime: Runtime) -> None:
    """Act on everything that is due, until nothing is or the shift ends."""
    work.process_due(runtime, InboxWork())


def _may_collect(runtime: Runtime, runner_id: int) -> bool:
    """Whether something new may be kept; raises `TryLater` while a deletion waits.

    Everything stays due then: an undo finds it so, and a deletion takes it along.
    """
    try:
        with runtime.db.read_only() as session:
            account_state.require_active(session, runner_id)
    except DeletionPending:
        raise TryLater("A deletion waits.", timedelta(0)) from None
    except ConsentOutdated:
        return False
    return True


def _update_visibility(
    runtime: Runtime, runner_id: int, plan: EventPlan, run_id: int
) -> None:
    """Settle a run's change of visibility, or have the run read if need be."""
    change = plan.visibility[run_id]
    if pull.update_visibility(runtime, runner_id, run_id, change.visibility):
        _mark_done(runtime, change.event_ids)
    else:
        plan.add_read(run_id, change.event_ids)


def _mark_done(runtime: Runtime, event_ids: Sequence[int]) -> None:
    if event_ids:
        with runtime.db.transaction() as session:
            store.mark_done(session, event_ids)
