"""Every job, overtaken at each of its writes: it is done, and no failure is counted."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from sync import counters
from sync.models import Export, Mail, Run, Runner, RunnerWork
from sync.portability import exports
from sync.queue import Job
from sync.runners import deletion, preferences
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.support.lost_races import LockOrder, LostRaces
from tests.support.smtp_servers import FakeSmtpServer, run_smtp_server
from workers.jobs import PROCESSORS, PURGES

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def smtp_server() -> Iterator[FakeSmtpServer]:
    with run_smtp_server() as server:
        yield server


@pytest.fixture
def busy_runtime(harness: Harness, smtp_server: FakeSmtpServer) -> Runtime:
    """Give two runners something of every kind that is due, and one who goes."""
    settings = harness.runtime.settings.model_copy(
        update={"smtp_url": SecretStr(smtp_server.url)}
    )
    runtime = replace(harness.runtime, settings=settings)
    kept, going = (harness.add_athlete(number) for number in (7, 8))
    runner_ids = [harness.link_runner(athlete) for athlete in (kept, going)]
    changes = {"checkins": True, "digest": True}
    preferences.save_preferences(runtime, runner_ids[0], changes)
    # To the next Monday morning, when the digest of this week and the list are due.
    harness.advance_clock(days=(7 - harness.clock().weekday()) % 7 or 7, hours=-5)
    run = harness.finish_run(kept, ended_minutes_ago=20)
    harness.finish_run(kept, ended_minutes_ago=3000)
    harness.deliver_event(kept, run.id, "create")
    exports.request_export(runtime, runner_ids[0])
    deletion.request_deletion(runtime, runner_ids[1])
    harness.advance_clock(minutes=11)
    return runtime


def test_every_job_that_is_overtaken_is_done_all_the_same(
    busy_runtime: Runtime, harness: Harness, smtp_server: FakeSmtpServer
) -> None:
    engine = busy_runtime.db.engine
    with LostRaces.install(engine) as lost_races, LockOrder.watch(engine) as lock_order:
        for job in (*Job, *Job):  # what the first round brings is due in the second
            with lost_races.lose():
                PROCESSORS[job](busy_runtime)
            harness.advance_clock(minutes=10)
        for purge in PURGES:
            with lost_races.lose():
                purge(busy_runtime)

    with busy_runtime.db.read_only() as session:
        assert {name for name in counters.load_counts(session) if ":" in name} == set()
        assert session.scalars(select(RunnerWork.set_aside_for)).all() == []
        assert len(session.scalars(select(Run.id)).all()) == 2
        assert len(session.scalars(select(Runner.id)).all()) == 1
        assert session.scalars(select(Export.ready_at)).one() is not None
        sent = session.scalars(select(Mail.kind).where(Mail.sent_at.is_not(None))).all()
    assert {"survey", "digest", "export_ready", "deleted"} <= set(sent)
    assert len(smtp_server.emails) == len(sent)
    assert lock_order.violations == []
