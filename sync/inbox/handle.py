"""Handles Strava's events, one runner at a time: claim, plan, read, apply, settle."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import structlog
from sqlalchemy.orm import Session
from typing_extensions import override

from sync import work
from sync.conflicts import count_attempts, retry_conflicts
from sync.errors import MoodmilesError, NotOnStrava, TryLater
from sync.inbox import rules, store
from sync.inbox.rules import EventBatch, EventClaim, EventPlan
from sync.queue import Job
from sync.runners import deauthorisation
from sync.runners import store as runners
from sync.runs import pull
from sync.runs.changes import RunChanges, apply_changes
from sync.runs.pull import PulledList
from sync.runtime import Runtime
from sync.strava import Lane
from sync.work import DueWork, Failure, Retry

log = structlog.get_logger()


class InboxWork(DueWork[EventClaim]):
    """The due events of one runner; what fails concerns some of them alone."""

    job = Job.INBOX
    reads_strava = True

    @override
    def claim(self, runtime: Runtime) -> Iterator[EventClaim]:
        while True:
            with runtime.db.transaction() as session:
                claim = store.claim_next(session, now=runtime.db.now(session))
            if claim is None:
                return
            yield claim

    @override
    def handle(self, runtime: Runtime, item: EventClaim) -> None:
        try:
            with runtime.db.read_only() as session:
                batch = store.load_batch(session, item)
            plan = rules.plan_events(batch)
            self.apply_reported(runtime, batch, plan)
        except Exception as error:
            is_foreseen = isinstance(error, MoodmilesError)
            if len(item.events) == 1 or is_foreseen or count_attempts(error) > 1:
                raise
            # Whatever half fails is halved again, down to the events that do.
            for half in item.halves():
                with work.attempt(runtime, self, half):
                    self.handle(runtime, half)
        else:
            self.read_planned(runtime, batch, plan)

    def read_planned(self, runtime: Runtime, item: EventBatch, plan: EventPlan) -> None:
        """Ask Strava for what the events' own word is not enough for."""
        if plan.revoked:
            with work.attempt(runtime, self, item.subset(plan.revoked)):
                is_true = deauthorisation.disconnect_if_revoked(runtime, item.runner_id)
                self.settle(runtime, item, plan.revoked, misses=int(not is_true))
        unread_ids = [] if plan.list_read else [*plan.reads]
        if plan.list_read:
            event_ids = plan.event_ids(plan.reads)
            with work.attempt(runtime, self, item.subset(event_ids)):
                pulled = pull.pull_list(
                    runtime,
                    item.runner_id,
                    plan.reads,
                    last_start=plan.list_read.last_start,
                    takes_all=plan.list_read.takes_all,
                )
                unread_ids = self.settle_listed(runtime, item, plan, pulled)
        self.read_singly(runtime, item, plan, unread_ids)

    @retry_conflicts
    def apply_reported(
        self, runtime: Runtime, batch: EventBatch, plan: EventPlan
    ) -> None:
        """Store what the events' own word is enough for.

        What is gone is out of sight at once, whatever Strava says when it is asked;
        of a runner in doubt only once Strava has been asked.
        """
        is_needed = plan.visibility or plan.reported_gone or plan.settled
        if not is_needed and not batch.is_doubtful:
            return
        hidden_ids = () if batch.is_doubtful else plan.reported_gone
        changes = RunChanges(visibility=plan.visibility, hidden_ids=hidden_ids)
        with runtime.db.transaction(runner_id=batch.runner_id) as session:
            now = runtime.db.now(session)
            apply_changes(runtime, session, batch.runner_id, changes, now=now)
            if batch.is_doubtful:
                store.wait_for_list(session, batch, until=now + rules.LIST_INTERVAL)
            store.settle(session, plan.settled)
        if hidden_ids or plan.visibility:
            log.info(
                "events applied",
                runner_id=batch.runner_id,
                hidden=sorted(hidden_ids),
                visibility=sorted(plan.visibility),
            )

    def settle_listed(
        self, runtime: Runtime, batch: EventBatch, plan: EventPlan, pulled: PulledList
    ) -> list[int]:
        """Settle what a list showed; return the runs that are to be read singly."""
        refuted_ids = (plan.reported_gone - plan.announced) & pulled.shown_ids
        self.settle(
            runtime, batch, plan.event_ids(pulled.shown_ids), misses=len(refuted_ids)
        )
        unlisted = rules.sort_unlisted(
            plan, batch, shown=pulled.shown_ids, since=pulled.since
        )
        if unlisted.missed:
            event_ids = plan.event_ids(unlisted.missed)
            with work.attempt(runtime, self, batch.subset(event_ids)):
                raise NotOnStrava("Strava's list does not show it.")
        self.leave_to_list(runtime, batch, plan.event_ids(unlisted.beyond))
        return unlisted.read_singly

    def read_singly(
        self,
        runtime: Runtime,
        batch: EventBatch,
        plan: EventPlan,
        run_ids: Sequence[int],
    ) -> None:
        """Read runs one by one, until too little of it has been true."""
        misses = batch.misses
        for index, run_id in enumerate(run_ids):
            if misses >= rules.MAX_MISSES and not batch.is_doubtful:
                self.leave_to_list(runtime, batch, plan.event_ids(run_ids[index:]))
                return
            event_ids = plan.reads[run_id]
            with work.attempt(runtime, self, batch.subset(event_ids)):
                try:
                    is_true = self.read_run(runtime, batch, plan, run_id)
                except NotOnStrava:
                    misses += 1
                    raise
                misses += not is_true
                self.settle(runtime, batch, event_ids, misses=int(not is_true))

    def read_run(
        self, runtime: Runtime, batch: EventBatch, plan: EventPlan, run_id: int
    ) -> bool:
        """Read a run by itself; return whether its events told the truth."""
        if run_id not in plan.reported_gone:
            pull.pull_run(runtime, batch.runner_id, run_id, lane=Lane.NEW_RUN)
            return True
        if pull.confirm_gone(runtime, batch.runner_id, run_id, lane=Lane.NEW_RUN):
            return run_id in batch.known_starts
        return run_id in plan.announced

    def leave_to_list(
        self, runtime: Runtime, batch: EventBatch, event_ids: list[int]
    ) -> None:
        """Put events back until the runner's list is read next."""
        if event_ids:
            with work.attempt(runtime, self, batch.subset(event_ids)):
                raise TryLater("The next list may show it.", rules.LIST_INTERVAL)

    @retry_conflicts
    def settle(
        self,
        runtime: Runtime,
        batch: EventBatch,
        event_ids: Sequence[int],
        *,
        misses: int,
    ) -> None:
        """Settle events, and count those that Strava did not bear out."""
        with runtime.db.transaction() as session:
            store.settle(session, event_ids)
            now = runtime.db.now(session)
            store.count_misses(session, batch.runner_id, misses, now=now)

    @override
    def postpone(self, session: Session, item: EventClaim, failure: Failure) -> Retry:
        is_miss = isinstance(failure.error, NotOnStrava)
        if is_miss:
            first_missed = {e.subject_id for e in item.events if not e.misses}
            store.count_misses(
                session, item.runner_id, len(first_missed), now=failure.at
            )
        retries = []
        groups = defaultdict(list)
        for event in item.events:
            groups[event.attempts, event.misses].append(event.id)
        for (attempts, misses), event_ids in groups.items():
            retry = rules.decide_retry(
                failure.error,
                attempts=attempts,
                misses=misses + is_miss,
                is_doubtful=item.is_doubtful,
                now=failure.at,
            )
            store.postpone(
                session, event_ids, retry, is_free=failure.is_free, is_miss=is_miss
            )
            retries.append(retry)
        return Retry(
            due_at=min(
                (retry.due_at for retry in retries if retry.due_at), default=None
            ),
            is_given_up=any(retry.is_given_up for retry in retries),
        )

    @override
    def release(self, runtime: Runtime, item: EventClaim) -> None:
        with runtime.db.transaction() as session:
            runners.release(session, item.runner_id)

    @override
    def attempts(self, item: EventClaim) -> int:
        return max((event.attempts for event in item.events), default=0)

    @override
    def log_ids(self, item: EventClaim) -> Mapping[str, object]:
        event_ids = [event.id for event in item.events]
        return {"runner_id": item.runner_id, "event_ids": event_ids}


def process_due(runtime: Runtime) -> None:
    """Act on everything that is due, until nothing is or the shift ends."""
    work.process_due(runtime, InboxWork())
