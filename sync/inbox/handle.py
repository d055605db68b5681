"""Handles Strava's events, one runner at a time: claim, plan, read, apply, settle."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

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
from sync.runs import claims, pull
from sync.runs.changes import RunChanges, apply_changes
from sync.runs.pull import PulledList
from sync.runtime import Runtime
from sync.strava import Lane, UnreadableRecord
from sync.work import DueWork, Failure, Retry

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SingleRead:
    """Whether a run's events told the truth, and where in the list it stands."""

    is_true: bool
    listed_at: datetime | None = None


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
        """Read runs one by one, until too little of it has been true.

        Each says where in the list it stands, and with it those that came with it:
        several old runs cost a list read and not a read each.
        """
        misses, lists_read, listed_count = batch.misses, 0, 0
        waiting = rules.order_single_reads(plan, run_ids)
        while waiting:
            if misses >= rules.MAX_MISSES and not batch.is_doubtful:
                self.leave_to_list(runtime, batch, plan.event_ids(waiting))
                return
            run_id = waiting.pop(0)
            listed_at = None
            event_ids = plan.reads[run_id]
            with work.attempt(runtime, self, batch.subset(event_ids)):
                try:
                    read = self.read_run(runtime, batch, plan, run_id)
                except NotOnStrava:
                    misses += 1
                    raise
                misses += not read.is_true
                self.settle(runtime, batch, event_ids, misses=int(not read.is_true))
                listed_at = read.listed_at
            announced = [i for i in waiting if i not in plan.reported_gone]
            if (
                listed_at is None
                or batch.is_doubtful
                or len(announced) < rules.MIN_RUNS_FOR_LIST
                or lists_read >= listed_count + rules.MAX_UNPAID_LISTS
            ):
                continue
            done_ids = self.read_list_below(runtime, batch, plan, announced, listed_at)
            lists_read += 1
            listed_count += len(done_ids)
            waiting = [run_id for run_id in waiting if run_id not in done_ids]

    def read_list_below(
        self,
        runtime: Runtime,
        batch: EventBatch,
        plan: EventPlan,
        run_ids: Sequence[int],
        listed_at: datetime,
    ) -> AbstractSet[int]:
        """Read the list from a start downwards; return the runs that are dealt with."""
        if plan.takes_all:
            # More of them came than could wait, and Strava bears them out.
            claims.bring_full_reconcile_forward(runtime, batch.runner_id)
        done_ids = set(run_ids)  # put off, all of them, if the list cannot be read
        with work.attempt(runtime, self, batch.subset(plan.event_ids(run_ids))):
            pulled = pull.pull_list(
                runtime,
                batch.runner_id,
                run_ids,
                last_start=listed_at,
                takes_all=plan.takes_all,
            )
            self.settle(runtime, batch, plan.event_ids(pulled.shown_ids), misses=0)
            done_ids &= pulled.shown_ids
        return done_ids

    def read_run(
        self, runtime: Runtime, batch: EventBatch, plan: EventPlan, run_id: int
    ) -> SingleRead:
        """Read a run by itself."""
        lane = Lane.NEW_RUN
        if run_id not in plan.reported_gone:
            activity = pull.pull_activity(runtime, batch.runner_id, run_id, lane=lane)
            listed_at = None
            if not isinstance(activity, UnreadableRecord):
                listed_at = activity.started_at
            return SingleRead(is_true=True, listed_at=listed_at)
        if pull.confirm_gone(runtime, batch.runner_id, run_id, lane=lane):
            return SingleRead(is_true=run_id in batch.known_starts)
        return SingleRead(is_true=run_id in plan.announced)

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
