"""Whatever Strava answers: nothing is marked deleted, nothing is lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.models import Connection, ReconcileState, Run
from sync.runs import reconcile
from sync.simulator import activities
from sync.simulator.records import App, SimulatedFault
from sync.strava import http
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Harness
from tests.support.table_comparison import expected_rows, stored_rows

pytestmark = pytest.mark.slow

TROUBLES = {
    "429": SimulatedFault(id=1, kind="status", status=429),
    "500": SimulatedFault(id=1, kind="status", status=500),
    "597": SimulatedFault(id=1, kind="status", status=597),
    "403": SimulatedFault(id=1, kind="status", status=403),
    "html": SimulatedFault(id=1, kind="html"),
    "empty": SimulatedFault(id=1, kind="empty"),
    "reset": SimulatedFault(id=1, kind="reset"),
    "timeout": SimulatedFault(id=1, kind="slow", seconds=1.3),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_trouble_passes_and_every_run_is_there(
    harness: Harness, trouble: SimulatedFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A refresh whose answer is lost may cost the link: that is a test of its own.
    with harness.world.transaction():
        harness.world.put_singleton(
            App(client_id="1", client_secret="simulated", token_s=10_000_000)
        )
    athlete = harness.add_athlete()
    kept_activity, doomed = (
        harness.finish_run(athlete, ended_minutes_ago=60 * i) for i in (30, 40)
    )
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(days=1, minutes=1)
    new = harness.finish_run(athlete)
    with harness.world.transaction():
        activities.delete_activity(harness.world, doomed)
        harness.world.faults.put(trouble)
    harness.deliver_event(athlete, new.id, "create")
    harness.deliver_event(athlete, doomed.id, "delete")

    with monkeypatch.context() as patch:
        if trouble.kind == "slow":
            # Nobody waits twenty seconds here; the session is made at its first call.
            patch.setitem(http.build_session.__kwdefaults__ or {}, "read_s", 1.0)
        hasty = HttpStrava(
            harness.runtime.settings, budget=Budget("", clock=harness.clock)
        )
        in_trouble = replace(harness, runtime=replace(harness.runtime, strava=hasty))
        in_trouble.process_all_due()
        reconcile.process_due(in_trouble.runtime)
    with harness.runtime.db.read_only() as session:
        during = session.scalars(select(Run.source_id)).all()
        link = session.scalars(select(Connection)).one()
    with harness.world.transaction():
        harness.world.faults.remove(1)
    harness.advance_clock(hours=2)
    harness.process_all_due()

    assert sorted(during) == sorted([kept_activity.id, doomed.id])
    assert link.broken_at is None
    assert stored_rows(harness) == expected_rows(harness.world)


def test_an_import_survives_trouble_on_every_page(harness: Harness) -> None:
    athlete = harness.add_athlete()
    for days_ago in range(1, 450):
        harness.finish_run(athlete, ended_minutes_ago=days_ago * 1440)
    harness.link_runner(athlete)
    troubles = [t for name, t in TROUBLES.items() if name != "timeout"]

    for trouble in troubles:
        with harness.world.transaction():
            harness.world.faults.put(
                SimulatedFault(
                    id=1, kind=trouble.kind, status=trouble.status, on="list", times=1
                )
            )
        harness.process_all_due()
        harness.advance_clock(hours=1)
    harness.process_all_due()

    assert stored_rows(harness) == expected_rows(harness.world)
    assert harness.count_strava_reads() <= 4 + len(troubles)


def test_a_failing_reconciliation_is_postponed_and_hides_nothing(
    harness: Harness,
) -> None:
    athlete = harness.add_athlete()
    for days_ago in range(1, 9):
        harness.finish_run(athlete, ended_minutes_ago=days_ago * 1440)
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(days=1, minutes=1)
    with harness.world.transaction():
        harness.world.faults.put(SimulatedFault(id=1, kind="html", on="list"))

    for _ in range(5):
        reconcile.process_due(harness.runtime)
        harness.advance_clock(hours=1)

    with harness.runtime.db.read_only() as session:
        put_off = session.scalars(select(ReconcileState)).one()
    assert len(stored_rows(harness)) == 8
    assert put_off.due_at > harness.clock() - timedelta(hours=1)
