"""Handles Strava's events, one runner at a time."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby

from sqlalchemy.orm import Session
from typing_extensions import override

from sync import work
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
        runner_id = item.runner_id
        plan = rules.plan_events(item.events)
        for run_id, change in plan.visibility.items():
            with work.attempt(runtime, self, item.subset(change.event_ids)):
                if pull.update_visibility(
                    runtime, runner_id, run_id, change.visibility
                ):
                    plan.settled += change.event_ids
                else:
                    plan.add_read(run_id, change.event_ids)
        if not item.may_collect:
            # Agreeing to the new text starts to reconcile, which finds these runs.
            plan.settled += chain.from_iterable(plan.pull.values())
            plan.pull.clear()
        if plan.confirm_gone:
            # They go out of sight at once, whatever Strava says when it is asked.
            pull.hide_runs(runtime, runner_id, plan.confirm_gone.keys())
        if plan.revoked:
            with work.attempt(runtime, self, item.subset(plan.revoked)):
                disconnect.disconnect_if_revoked(runtime, runner_id)
                plan.settled += plan.revoked
        _settle(runtime, plan.settled)
        self.read_runs(runtime, item, plan)

    def read_runs(self, runtime: Runtime, batch: EventBatch, plan: EventPlan) -> None:
        """Read what the plan asks for: several runs by one list, the rest one by one.

        What the list does not show is read by itself: absence proves nothing.
        """
        event_ids_by_run = plan.confirm_gone | plan.pull
        settled_run_ids: set[int] = set()
        if len(plan.pull) >= MIN_RUNS_FOR_LIST:
            settled_run_ids = set(plan.pull)  # unless the list can be read, they wait
            listed_event_ids = [*chain.from_iterable(plan.pull.values())]
            with work.attempt(runtime, self, batch.subset(listed_event_ids)):
                settled_run_ids = pull.pull_batch(
                    runtime, batch.runner_id, event_ids_by_run, lane=Lane.NEW_RUN
                )
                answered = [event_ids_by_run[run_id] for run_id in settled_run_ids]
                _settle(runtime, [*chain.from_iterable(answered)])
        for run_id, event_ids in event_ids_by_run.items():
            if run_id in settled_run_ids:
                continue
            read = pull.confirm_gone if run_id in plan.confirm_gone else pull.pull_run
            with work.attempt(runtime, self, batch.subset(event_ids)):
                read(runtime, batch.runner_id, run_id, lane=Lane.NEW_RUN)
                _settle(runtime, event_ids)

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


def process_due(runtime: Runtime) -> None:
    """Act on everything that is due, until nothing is or the shift ends."""
    work.process_due(runtime, InboxWork())


def _settle(runtime: Runtime, event_ids: Sequence[int]) -> None:
    if event_ids:
        with runtime.db.transaction() as session:
            store.mark_done(session, event_ids)
