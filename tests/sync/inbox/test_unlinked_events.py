"""Events that nobody would ever take are not kept, and raise no alarm."""

import pytest
from sqlalchemy import delete, update

from sync import counters, work_status
from sync.inbox import purge
from sync.models import Connection
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete


@pytest.fixture
def linked_harness(harness: Harness) -> Harness:
    harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    return harness


def count_waiting_events(runtime: Runtime) -> int:
    with runtime.db.read_only() as session:
        return work_status.count_due(session, runtime.db.now(session)).due["inbox"]


@pytest.fixture
def unlinked_harness(linked_harness: Harness) -> Harness:
    """Let the runner be one who has no link, such as one brought from elsewhere."""
    with linked_harness.runtime.db.transaction() as session:
        session.execute(delete(Connection))
    return linked_harness


def test_events_about_a_runner_without_a_link_are_counted(
    unlinked_harness: Harness,
) -> None:
    kept = unlinked_harness.deliver_event(get_athlete(unlinked_harness), 1, "create")

    assert not kept
    with unlinked_harness.runtime.db.read_only() as session:
        assert counters.load_counts(session) == {"event about nobody here": 1}


def test_events_that_nobody_would_ever_take_are_forgotten(
    linked_harness: Harness,
) -> None:
    athlete = get_athlete(linked_harness)
    linked_harness.deliver_event(athlete, 1, "create")
    with linked_harness.runtime.db.transaction() as session:
        session.execute(update(Connection).values(broken_at=linked_harness.clock()))
    purge.purge_events(linked_harness.runtime)
    kept = count_waiting_events(linked_harness.runtime)

    with linked_harness.runtime.db.transaction() as session:
        session.execute(delete(Connection))
    purge.purge_events(linked_harness.runtime)

    assert (kept, count_waiting_events(linked_harness.runtime)) == (1, 0)


def test_events_about_a_broken_link_are_kept(linked_harness: Harness) -> None:
    with linked_harness.runtime.db.transaction() as session:
        session.execute(update(Connection).values(broken_at=linked_harness.clock()))

    assert linked_harness.deliver_event(get_athlete(linked_harness), 1, "create")
