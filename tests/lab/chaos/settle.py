"""Waiting until nothing is left to do, with the clock moved over every wait."""

from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Select, select

from sync.models import Backfill, Connection, Event, Mail, ReconcileState
from tests.lab.chaos.installation import ClubInstallation
from tests.lab.chaos.scenario import ChaosScenario
from tests.support.table_comparison import count_undecided

TIMEOUT_S = 240
POLL_INTERVAL_S = 0.25
WAKE_EVERY_S = 1.0
# Nothing has moved for so long: whoever works is waiting for a moment to come.
STILL_S = 1.0
STEP_S = 60
# After a month tokens are renewed, under a lease that no step may outlast.
CAREFUL_STEP_S = 30
# What waits for a limit waits with some jitter behind it.
BEYOND_S = 120
FAR = timedelta(hours=8)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def wait_until_settled(
    installation: ClubInstallation,
    scenario: ChaosScenario,
    *,
    with_reconciling: bool = False,
) -> list[str]:
    """Wait until everything that was due is done; say what is not in the end."""
    until = installation.clocks() + FAR
    patience_ends = monotonic() + TIMEOUT_S
    last_open_work, moved_at, woke_at = None, monotonic(), 0.0
    while open_work := _list_open_work(
        installation, scenario, until=until, with_reconciling=with_reconciling
    ):
        if open_work != last_open_work:
            last_open_work, moved_at = open_work, monotonic()
        if monotonic() - moved_at > STILL_S:
            step_s = CAREFUL_STEP_S if with_reconciling else STEP_S
            _advance_clock(installation, min(open_work)[0], step_s=step_s)
            moved_at = monotonic()
        if monotonic() - woke_at > WAKE_EVERY_S:
            installation.keep_running()
            installation.wake_all_queues()
            woke_at = monotonic()
        if monotonic() > patience_ends:
            return [_describe_open_work(open_work)]
        sleep(POLL_INTERVAL_S)
    return []


def _advance_clock(
    installation: ClubInstallation, first_due: datetime, *, step_s: float
) -> None:
    """Go to the next moment at which something is due, or a little further."""
    now = installation.clocks()
    if first_due > now:
        installation.clocks.forward_to(first_due + timedelta(seconds=BEYOND_S))
    else:
        installation.clocks.advance(seconds=step_s)


def _list_open_work(
    installation: ClubInstallation,
    scenario: ChaosScenario,
    *,
    until: datetime,
    with_reconciling: bool,
) -> list[tuple[datetime, str]]:
    """List what is still to be done: when, and what."""
    scenario.record_events()
    now = installation.clocks()
    queries: dict[str, Select[Any]] = {
        "event": select(Event.due_at).where(Event.due_at <= until),
        "survey": select(Mail.due_at).where(
            Mail.kind == "survey", Mail.due_at <= until
        ),
        "import": select(Backfill.due_at).where(Backfill.due_at <= until),
        "runner at work": select(Connection.busy_until).where(
            Connection.busy_until > now
        ),
    }
    if with_reconciling:
        queries["reconciling"] = select(ReconcileState.due_at).where(
            ReconcileState.due_at <= until
        )
    open_work = [(LONG_AGO, "event on its way")] * scenario.count_waiting_events
    with installation.harness.runtime.db.read_only() as session:
        for name, query in queries.items():
            open_work += [(at, name) for at in session.scalars(query) if at is not None]
    open_work += [(LONG_AGO, "run undecided")] * count_undecided(installation.harness)
    return sorted(open_work)


def _describe_open_work(open_work: list[tuple[datetime, str]]) -> str:
    names = [name for _, name in open_work]
    counts = ", ".join(f"{names.count(name)} x {name}" for name in sorted(set(names)))
    return f"not settled after {TIMEOUT_S} s: {counts}"
