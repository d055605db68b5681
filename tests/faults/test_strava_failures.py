"""Whatever Strava answers: nothing is marked deleted, nothing is lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.models import Connection, Run, Sweep
from sync.runs import reconcile
from sync.simulator import activities
from sync.simulator.records import App, Fault
from sync.strava import http
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Stage
from tests.support.table_comparison import ours, theirs

pytestmark = pytest.mark.slow

TROUBLES = {
    "429": Fault(id=1, kind="status", status=429),
    "500": Fault(id=1, kind="status", status=500),
    "597": Fault(id=1, kind="status", status=597),
    "403": Fault(id=1, kind="status", status=403),
    "html": Fault(id=1, kind="html"),
    "empty": Fault(id=1, kind="empty"),
    "reset": Fault(id=1, kind="reset"),
    "timeout": Fault(id=1, kind="slow", seconds=1.3),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_trouble_passes_and_every_run_is_there(
    stage: Stage, trouble: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A refresh whose answer is lost may cost the link: that is a test of its own.
    with stage.world.change():
        stage.world.set(
            App(client_id="1", client_secret="simulated", token_s=10_000_000)
        )
    athlete = stage.athlete()
    kept, doomed = (stage.run(athlete, ended_minutes_ago=60 * i) for i in (30, 40))
    stage.link(athlete)
    stage.work()
    stage.pass_time(days=1, minutes=1)
    new = stage.run(athlete)
    with stage.world.change():
        activities.delete(stage.world, doomed)
        stage.world.faults.put(trouble)
    stage.tell(athlete, new.id, "create")
    stage.tell(athlete, doomed.id, "delete")

    with monkeypatch.context() as patch:
        if trouble.kind == "slow":
            # Nobody waits twenty seconds here; the session is made at its first call.
            patch.setitem(http.session.__kwdefaults__ or {}, "read_s", 1.0)
        hasty = HttpStrava(stage.runtime.settings, budget=Budget("", clock=stage.clock))
        in_trouble = replace(stage, runtime=replace(stage.runtime, strava=hasty))
        in_trouble.work()
        reconcile.drain(in_trouble.runtime)
    with stage.runtime.db.reading() as session:
        during = session.scalars(select(Run.source_id)).all()
        link = session.scalars(select(Connection)).one()
    with stage.world.change():
        stage.world.faults.remove(1)
    stage.pass_time(hours=2)
    stage.work()

    assert sorted(during) == sorted([kept.id, doomed.id])
    assert link.broken_at is None
    assert ours(stage) == theirs(stage.world)


def test_an_import_survives_trouble_on_every_page(stage: Stage) -> None:
    athlete = stage.athlete()
    for days_ago in range(1, 450):
        stage.run(athlete, ended_minutes_ago=days_ago * 1440)
    stage.link(athlete)
    troubles = [t for name, t in TROUBLES.items() if name != "timeout"]

    for trouble in troubles:
        with stage.world.change():
            stage.world.faults.put(
                Fault(
                    id=1, kind=trouble.kind, status=trouble.status, on="list", times=1
                )
            )
        stage.work()
        stage.pass_time(hours=1)
    stage.work()

    assert ours(stage) == theirs(stage.world)
    assert stage.reads() <= 4 + len(troubles)


def test_a_sweep_in_trouble_is_put_off_and_hides_nothing(stage: Stage) -> None:
    athlete = stage.athlete()
    for days_ago in range(1, 9):
        stage.run(athlete, ended_minutes_ago=days_ago * 1440)
    stage.link(athlete)
    stage.work()
    stage.pass_time(days=1, minutes=1)
    with stage.world.change():
        stage.world.faults.put(Fault(id=1, kind="html", on="list"))

    for _ in range(5):
        reconcile.drain(stage.runtime)
        stage.pass_time(hours=1)

    with stage.runtime.db.reading() as session:
        put_off = session.scalars(select(Sweep)).one()
    assert len(ours(stage)) == 8
    assert put_off.due_at > stage.clock() - timedelta(hours=1)
