"""Find what events missed: compare each runner's list with our rows.

Every day one list read looks 14 days back, and every 28 days the whole list is
compared page by page.  Both take only what the budget leaves to their lane.
Absence from a list hides a run; it goes when Strava says 404, too.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.orm import Session

from sync import counters
from sync.database import wake_after_commit
from sync.errors import MoodmilesError
from sync.models import Sweep
from sync.queue import Work, shift
from sync.runners import store as runners
from sync.runners.strava_call import ask
from sync.runs import private, pull, reconcile_rules, rules, store
from sync.runs.claims import LEASE, take
from sync.runs.duplicates import arrange
from sync.runs.reconcile_rules import Findings, Stretch
from sync.runtime import Runtime
from sync.strava import Lane, Page

log = structlog.get_logger()

AHEAD = timedelta(days=1)  # watches may be set wrong
DOUBTFUL = "would delete everything"


def drain(runtime: Runtime) -> None:
    """Look at every runner who is due, until nobody is or the shift ends."""
    for held in shift(runtime.queue, Work.SWEEP, partial(_claim, runtime)):
        try:
            _look(runtime, held)
        except MoodmilesError as error:
            _postpone(runtime, held, error)
        finally:
            _release(runtime, held.runner_id)


def _claim(runtime: Runtime) -> Sweep | None:
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        sweep = take(session, Sweep, now=now)
        if sweep is not None:
            # What kills its worker comes back ever more slowly.
            sweep.due_at = now + LEASE * (1 << min(sweep.attempts, 8))
        return sweep


def _look(runtime: Runtime, held: Sweep) -> None:
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
    is_full = held.before is not None or (
        held.compared_at <= now - reconcile_rules.FULL_EVERY
    )
    compare = _compare_page if is_full else _look_back
    if compare(runtime, held, now=now):
        _confirm_hidden(runtime, held.runner_id)


def _look_back(runtime: Runtime, held: Sweep, *, now: datetime) -> bool:
    """Compare the last days; return whether hidden runs are to be confirmed."""
    since = max(now - reconcile_rules.LOOK_BACK, _kept_since(runtime, now))
    until = now + AHEAD
    page = _read(runtime, held, page=1, before=until, after=since)
    stretch = reconcile_rules.recent(page, since=since, until=until)
    with runtime.db.transaction() as session:
        sweep = _still(session, held)
        if sweep is not None:
            found = _apply(runtime, session, held.runner_id, page, stretch)
            _finish(runtime, session, sweep, found)
    return True


def _compare_page(runtime: Runtime, held: Sweep, *, now: datetime) -> bool:
    """Compare one page; return whether hidden runs are to be confirmed.

    Whatever else is hidden waits for the last page: to look for it after each one
    would read all runs as often as there are pages.
    """
    before = held.before or now + AHEAD
    after = _kept_since(runtime, now)
    page = _read(runtime, held, page=held.next_page, before=before, after=after)
    stretch = reconcile_rules.next_stretch(page, down_to=held.down_to or before)
    with runtime.db.transaction() as session:
        sweep = _still(session, held)
        if sweep is None:
            return True
        found = _apply(runtime, session, held.runner_id, page, stretch)
        if page.size and not found.is_doubtful:
            sweep.before, sweep.down_to = before, stretch.since
            sweep.next_page = held.next_page + 1
            sweep.attempts, sweep.due_at = 0, now
            return bool(found.missing)
        sweep.before, sweep.down_to, sweep.next_page = None, None, 1
        sweep.compared_at = now
        _finish(runtime, session, sweep, found)
    return True


def _kept_since(runtime: Runtime, now: datetime) -> datetime:
    kept = rules.kept_since(runtime.settings.strava_retention_days, now=now)
    return kept or reconcile_rules.EARLIEST


def _still(session: Session, held: Sweep) -> Sweep | None:
    """Return the sweep, unless the runner left while Strava answered."""
    if not runners.is_linked(session, held.runner_id):
        return None
    return session.get(Sweep, held.runner_id)


def _read(
    runtime: Runtime,
    held: Sweep,
    *,
    page: int,
    before: datetime,
    after: datetime,
) -> Page:
    found = ask(
        runtime,
        held.runner_id,
        lambda token: runtime.strava.page(
            token, lane=Lane.SWEEP, page=page, before=before, after=after
        ),
    )
    return private.page_for(runtime, held.runner_id, found)


def _apply(
    runtime: Runtime,
    session: Session,
    runner_id: int,
    page: Page,
    stretch: Stretch,
) -> Findings:
    """Store what is new or different, and hide what the page leaves out."""
    now = runtime.db.now(session)
    ids = [*(run.id for run in page.runs), *(one.id for one in page.others)]
    known = store.compared(session, runner_id, stretch.since, stretch.until, ids)
    found = reconcile_rules.compare(known, page, stretch)
    store.save(session, runner_id, found.save, now=now)
    touched = [run.started_at for run in found.save]
    touched += store.remove(session, runner_id, found.no_runs, now=now)
    if not found.is_doubtful:
        touched += store.hide(session, runner_id, found.missing, now=now)
    store.set_aside(session, runner_id, page.unreadable, now=now)
    if touched:
        arrange(session, runner_id, touched)
        runners.changed(session, runner_id)
        wake_after_commit(session, Work.SURVEYS)
    log.info(
        "list compared",
        runner_id=runner_id,
        saved=len(found.save),
        missing=len(found.missing),
    )
    return found


def _finish(runtime: Runtime, session: Session, sweep: Sweep, found: Findings) -> None:
    """Note the sweep and say when the next one is due; doubt is said aloud."""
    now = runtime.db.now(session)
    minutes = runtime.settings.poll_minutes
    sweep.swept_at = now
    sweep.attempts = 0
    sweep.stopped_for = DOUBTFUL if found.is_doubtful else None
    sweep.due_at = reconcile_rules.next_look(
        now,
        poll=timedelta(minutes=minutes) if minutes else None,
        habit=reconcile_rules.habit(
            store.finishes(session, sweep.runner_id) if minutes else ()
        ),
    )
    if found.is_doubtful:
        counters.count(session, "sweep stopped", at=now)
        log.error(
            "sweep stopped: Strava shows none of the runs we know",
            runner_id=sweep.runner_id,
            known=len(found.missing),
        )


def _confirm_hidden(runtime: Runtime, runner_id: int) -> None:
    """Ask for each run that is out of sight: a 404 removes it, else it is back."""
    with runtime.db.reading() as session:
        hidden = store.hidden(session, runner_id)
    for run_id in hidden:
        pull.confirm_gone(runtime, runner_id, run_id, lane=Lane.SWEEP)


def _postpone(runtime: Runtime, held: Sweep, error: MoodmilesError) -> None:
    with runtime.db.transaction() as session:
        sweep = session.get(Sweep, held.runner_id)
        if sweep is None:
            return
        if not rules.costs_an_attempt(error):
            sweep.attempts = max(held.attempts - 1, 0)
        now = runtime.db.now(session)
        sweep.due_at = rules.next_try(error, attempts=sweep.attempts, now=now)
        due_at = sweep.due_at
        counters.trouble(session, error, at=now)
    log.warning(
        "sweep postponed",
        runner_id=held.runner_id,
        error=type(error).__name__,
        due_at=str(due_at),
    )


def _release(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.transaction() as session:
        runners.release(session, runner_id)
