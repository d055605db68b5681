"""Storing what Strava says about a runner's runs, and what follows from it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.database import wake_after_commit
from sync.errors import MoodmilesError, TryLater
from sync.queue import Job
from sync.runners import retained_runs
from sync.runners import store as runners
from sync.runs import store
from sync.runs.duplicates import resolve_duplicates
from sync.runs.rules import retention_start, within_retention
from sync.runtime import Runtime
from sync.strava import (
    Activity,
    ActivityPage,
    OtherActivity,
    RemoteRun,
    UnreadableRecord,
)
from sync.vocabulary import Visibility

log = structlog.get_logger()

# What says nothing about a record: a lost connection, a lock, a rule of ours.
_ELSEWHERE_ERRORS = (OperationalError, InterfaceError, MoodmilesError)

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class RunChanges:
    """What to change about one runner's runs; ids are Strava's."""

    runs: Sequence[RemoteRun] = ()
    other_ids: Collection[int] = ()
    hidden_ids: Collection[int] = ()
    visibility: Mapping[int, Visibility] = field(default_factory=dict)
    unreadable: Sequence[UnreadableRecord] = ()
    is_import: bool = False


def build_page(
    *activities: Activity,
) -> ActivityPage:
    """Return a page of these activities, as if a list had shown no others."""
    return ActivityPage(
        runs=tuple(run for run in activities if isinstance(run, RemoteRun)),
        other_activities=tuple(
            activity for activity in activities if isinstance(activity, OtherActivity)
        ),
        unreadable=tuple(
            record for record in activities if isinstance(record, UnreadableRecord)
        ),
        size=len(activities),
        oldest_day=None,
    )


def apply_changes(
    runtime: Runtime,
    session: Session,
    runner_id: int,
    changes: RunChanges,
    *,
    now: datetime,
) -> None:
    """Store, delete and hide runs; then figures and decisions are out of date."""
    runs = changes.runs
    if runtime.settings.strava_retention_days is not None:
        since = retention_start(runtime.settings.strava_retention_days, now=now)
        runs = within_retention(runs, since)
    changed_starts = [run.started_at for run in changes.runs]
    if runs:
        # Where a run was before, what it was a double of may count again.
        changed_starts += store.upsert_runs(
            session,
            runtime.sealer,
            runner_id,
            runs,
            now=now,
            imported=changes.is_import,
        )
    if changes.other_ids:
        changed_starts += store.delete_runs(
            session, runner_id, changes.other_ids, now=now
        )
    if changes.hidden_ids:
        changed_starts += store.hide_runs(
            session, runner_id, changes.hidden_ids, now=now
        )
    for source_id, visibility in changes.visibility.items():
        store.set_visibility(session, runner_id, source_id, visibility)
    if changes.unreadable:
        store.quarantine(session, runner_id, changes.unreadable, now=now)
    if changed_starts:
        resolve_duplicates(session, runner_id, changed_starts)
        runners.bump_data_version(session, runner_id)
        wake_after_commit(session, Job.SURVEYS)


def remove_runs(
    runtime: Runtime,
    session: Session,
    runner_id: int,
    source_ids: Sequence[int],
    *,
    now: datetime,
) -> int:
    """Delete runs for good and return how many; answers stay, with their facts."""
    row_ids = store.find_run_ids(session, runner_id, source_ids)
    retained_runs.insert_retained(session, runtime.sealer, runner_id, row_ids, now=now)
    removed_starts = store.delete_runs(session, runner_id, source_ids, now=now)
    if removed_starts:
        resolve_duplicates(session, runner_id, removed_starts)
        runners.bump_data_version(session, runner_id)
    return len(removed_starts)


def save_pulled(runtime: Runtime, runner_id: int, page: ActivityPage) -> None:
    """Store what Strava says now of these runs; drop those that are runs no longer.

    Raises `TryLater` while a deletion can still be undone.
    """
    save = partial(_save_page, runtime, runner_id)
    save_or_quarantine(runtime, runner_id, page, save)


@retry_conflicts
def _save_page(runtime: Runtime, runner_id: int, page: ActivityPage) -> None:
    changes = RunChanges(
        runs=page.runs,
        other_ids=[activity.id for activity in page.other_activities],
        unreadable=page.unreadable,
    )
    with runtime.db.transaction(runner_id=runner_id) as session:
        if not runners.is_linked(session, runner_id):
            if runners.may_undo_deletion(session, runner_id):
                raise TryLater("A deletion may still be undone.", timedelta(0))
            return  # the runner left while Strava answered
        now = runtime.db.now(session)
        apply_changes(runtime, session, runner_id, changes, now=now)
    log.info(
        "runs pulled",
        runner_id=runner_id,
        strava_ids=[*(run.id for run in page.runs), *changes.other_ids],
    )


def save_or_quarantine(
    runtime: Runtime,
    runner_id: int,
    page: ActivityPage,
    save: Callable[[ActivityPage], ResultT],
) -> ResultT:
    """Save a page; a record that no table takes is quarantined and the rest saved.

    `save` runs in a transaction of its own, and a second time if there is one.
    """
    try:
        return save(page)
    except _ELSEWHERE_ERRORS:
        raise
    except Exception:
        unstorable = _find_unstorable(runtime, runner_id, page.runs)
        if not unstorable:
            raise
    unstorable_ids = {record.id for record in unstorable}
    log.error(
        "records quarantined", runner_id=runner_id, strava_ids=sorted(unstorable_ids)
    )
    runs = tuple(run for run in page.runs if run.id not in unstorable_ids)
    return save(replace(page, runs=runs, unreadable=(*page.unreadable, *unstorable)))


def _find_unstorable(
    runtime: Runtime, runner_id: int, runs: Sequence[RemoteRun]
) -> list[UnreadableRecord]:
    """Store each run by itself, and roll back; return those that fail, and why."""
    unstorable = []
    for run in runs:
        try:
            with runtime.db.read_only() as session:
                now = runtime.db.now(session)
                store.upsert_runs(session, runtime.sealer, runner_id, [run], now=now)
        except _ELSEWHERE_ERRORS:
            raise
        # Whatever it is, it is about this record alone.
        except Exception as error:  # noqa: BLE001
            unstorable.append(UnreadableRecord(run.id, type(error).__name__))
    return unstorable
