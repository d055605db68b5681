"""Events that nobody would ever take are not kept, and raise no alarm."""

import pytest
from sqlalchemy import delete, update

from sync import counters, work_status
from sync.inbox import purge
from sync.models import Connection
from sync.runtime import Runtime
from tests.support.harness import Stage
from tests.sync.inbox.test_handle import athlete_of


@pytest.fixture
def linked(stage: Stage) -> Stage:
    stage.link(stage.athlete())
    stage.work()
    return stage


def waiting_in(runtime: Runtime) -> int:
    with runtime.db.reading() as session:
        return work_status.waiting(session, runtime.db.now(session))[0]["inbox"]


@pytest.fixture
def unlinked(linked: Stage) -> Stage:
    """Let the runner be one who has no link, such as one brought from elsewhere."""
    with linked.runtime.db.transaction() as session:
        session.execute(delete(Connection))
    return linked


def test_events_about_a_runner_without_a_link_are_counted(unlinked: Stage) -> None:
    kept = unlinked.tell(athlete_of(unlinked), 1, "create")

    assert not kept
    with unlinked.runtime.db.reading() as session:
        assert counters.counted(session) == {"event about nobody here": 1}


def test_events_that_nobody_would_ever_take_are_forgotten(linked: Stage) -> None:
    athlete = athlete_of(linked)
    linked.tell(athlete, 1, "create")
    with linked.runtime.db.transaction() as session:
        session.execute(update(Connection).values(broken_at=linked.clock()))
    purge.tidy(linked.runtime)
    kept = waiting_in(linked.runtime)

    with linked.runtime.db.transaction() as session:
        session.execute(delete(Connection))
    purge.tidy(linked.runtime)

    assert (kept, waiting_in(linked.runtime)) == (1, 0)


def test_events_about_a_broken_link_are_kept(linked: Stage) -> None:
    with linked.runtime.db.transaction() as session:
        session.execute(update(Connection).values(broken_at=linked.clock()))

    assert linked.tell(athlete_of(linked), 1, "create")
