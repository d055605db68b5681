"""Handles Strava's events, one runner at a time."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from sqlalchemy.orm import Session
from typing_extensions import override

from sync import work
from sync.inbox import rules, store
from sync.inbox.rules import EventPlan
from sync.inbox.store import EventBatch
from sync.queue import Job
from sync.runners import deauthorisation
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
                    plan.reads.setdefault(run_id, []).extend(change.event_ids)
        if not item.may_collect:
            # Agreeing to the new text starts to reconcile, which finds these runs.
            for run_id in plan.reads.keys() - plan.reported_gone:
                plan.settled += plan.reads.pop(run_id)
        if plan.reported_gone:
            # They go out of sight at once, whatever Strava says when it is asked.
            pull.hide_runs(runtime, runner_id, plan.reported_gone)
        if plan.revoked:
            with work.attempt(runtime, self, item.subset(plan.revoked)):
                deauthorisation.disconnect_if_revoked(runtime, runner_id)
                plan.settled += plan.revoked
        store.mark_done(runtime.db, plan.settled)
        self.read_runs(runtime, item, plan)

    def read_runs(self, runtime: Runtime, batch: EventBatch, plan: EventPlan) -> None:
        """Read what the plan asks for: several runs by one list, the rest one by one.

        What the list does not show is read by itself: absence proves nothing.
        """
        done_ids: set[int] = set()
        expected_ids = plan.reads.keys() - plan.reported_gone
        if len(expected_ids) >= MIN_RUNS_FOR_LIST:
            done_ids = expected_ids  # unless the list can be read, they wait
            event_ids = [id_ for run_id in expected_ids for id_ in plan.reads[run_id]]
            with work.attempt(runtime, self, batch.subset(event_ids)):
                done_ids = pull.pull_batch(
                    runtime, batch.runner_id, plan.reads.keys(), lane=Lane.NEW_RUN
                )
                event_ids = [id_ for run_id in done_ids for id_ in plan.reads[run_id]]
                store.mark_done(runtime.db, event_ids)
        for run_id, event_ids in plan.reads.items():
            if run_id in done_ids:
                continue
            is_gone = run_id in plan.reported_gone
            read = pull.confirm_gone if is_gone else pull.pull_run
            with work.attempt(runtime, self, batch.subset(event_ids)):
                read(runtime, batch.runner_id, run_id, lane=Lane.NEW_RUN)
                store.mark_done(runtime.db, event_ids)

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
