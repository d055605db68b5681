"""Whoever knows the hook's address can invent events, and delays nobody's runs."""

import sys
from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from itertools import count, islice
from threading import Thread

import pytest
from sqlalchemy import func, select, update

from sync import counters
from sync.inbox import handle, store
from sync.inbox.receive import LEFT_TO_LIST
from sync.inbox.rules import LIST_INTERVAL, MAX_MISSES, MAX_WAITING
from sync.models import Connection, Event, ReconcileState, Run
from sync.runs import reconcile
from sync.runs.reconcile_rules import FULL_INTERVAL
from sync.simulator import activities, grants
from sync.simulator.records import Activity, App, Athlete, SimulatedFault
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Harness
from tests.support.servers import TIMEOUT_S, ValkeyServer, run_valkey
from tests.sync.inbox.test_deauthorisation import deliver_deauthorisation
from tests.sync.inbox.test_handle import linked_harness

__all__ = ["linked_harness"]

FALSE_ID = 20_000_000_000
QUARTER_READS, DAY_READS = 100, 1000  # what Strava grants to a new app
FLOOD = 400

false_ids = count(FALSE_ID + 1)


@pytest.fixture(scope="module")
def redis() -> Generator[ValkeyServer]:
    with run_valkey() as server:
        yield server


@pytest.fixture
def club(harness: Harness, redis: ValkeyServer) -> Harness:
    """Let any number of runners link, at the start of a UTC day, over a new budget."""
    redis.flush()
    with harness.world.transaction():
        harness.world.put_singleton(
            App(client_id="1", client_secret="simulated", athlete_limit=1000)
        )
    harness.advance_clock(hours=24 - harness.clock().hour)
    budget = Budget(redis.url, clock=harness.clock, timeout_s=TIMEOUT_S)
    strava = HttpStrava(harness.runtime.settings, budget=budget)
    return replace(harness, runtime=replace(harness.runtime, strava=strava))


def report(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def link_athlete(harness: Harness, athlete_id: int) -> Athlete:
    athlete = harness.add_athlete(athlete_id)
    harness.link_runner(athlete, has_address=False)
    return athlete


def is_stored(harness: Harness, run: Activity) -> bool:
    with harness.runtime.db.read_only() as session:
        statement = select(Run.id).where(
            Run.source_id == run.id, Run.hidden_at.is_(None)
        )
        return session.scalar(statement) is not None


def count_waiting(harness: Harness) -> int:
    with harness.runtime.db.read_only() as session:
        return (
            session.scalar(select(func.count()).where(Event.due_at.is_not(None))) or 0
        )


def count_requests(harness: Harness, kind: str) -> int:
    counter = harness.world.counters.get(f"requests {kind}")
    return counter.value if counter else 0


def doubt_all(harness: Harness) -> None:
    with harness.runtime.db.transaction() as session:
        session.execute(
            update(Connection).values(misses=MAX_MISSES, missed_since=harness.clock())
        )


def finish_run(harness: Harness, athlete: Athlete) -> Activity:
    """Let somebody run, and Strava tell of it; a worker looks at once."""
    run = harness.finish_run(athlete)
    harness.deliver_event(athlete, run.id, "create")
    handle.process_due(harness.runtime)
    return run


def forge(
    harness: Harness, athlete: Athlete, events: int, aspect: str = "create"
) -> None:
    """Invent events about runs that never were, each of them another one."""
    for run_id in islice(false_ids, events):
        harness.deliver_event(athlete, run_id, aspect)


def test_a_flood_costs_one_runner_a_few_reads_and_nobody_else_anything(
    club: Harness,
) -> None:
    victim, other = link_athlete(club, 7), link_athlete(club, 8)
    before = club.count_strava_reads()

    forge(club, victim, FLOOD)
    handle.process_due(club.runtime)
    spent = club.count_strava_reads() - before
    run = finish_run(club, other)

    report(f"{FLOOD} forged events: {spent} reads, {count_waiting(club)} rows wait")
    assert spent <= 1 + MAX_MISSES
    assert count_waiting(club) == MAX_WAITING
    assert is_stored(club, run)


@pytest.mark.parametrize("has_redis", [True, False])
def test_over_a_day_of_forged_events_the_others_runs_are_read_at_once(
    club: Harness, has_redis: bool
) -> None:
    if not has_redis:
        settings = club.runtime.settings
        strava = HttpStrava(settings, budget=Budget("", clock=club.clock))
        club = replace(club, runtime=replace(club.runtime, strava=strava))
    victim, other = link_athlete(club, 7), link_athlete(club, 8)
    before, runs = club.count_strava_reads(), 0

    for step in range(23 * 4):
        forge(club, victim, 10)
        handle.process_due(club.runtime)
        if step % 12 == 5:
            runs += 1
            assert is_stored(club, finish_run(club, other))
        club.advance_clock(minutes=15)

    spent = club.count_strava_reads() - before - runs
    report(f"{23 * 40} forged events in a day: {spent} reads of {DAY_READS}")
    assert runs == 8
    assert spent <= DAY_READS * 12 // 100


def test_a_whole_club_that_is_attacked_leaves_the_others_their_reads(
    club: Harness,
) -> None:
    attacked = [link_athlete(club, athlete_id) for athlete_id in range(100, 150)]
    others = [link_athlete(club, athlete_id) for athlete_id in range(200, 203)]
    before, runs = club.count_strava_reads(), 0

    for step in range(23):
        for athlete in attacked:
            forge(club, athlete, 5)
        handle.process_due(club.runtime)
        if step % 6 == 0:
            for other in others:
                runs += 1
                assert is_stored(club, finish_run(club, other))
        club.advance_clock(hours=1)

    spent = club.count_strava_reads() - before - runs
    report(f"{23 * 250} forged events about 50 runners: {spent} reads of {DAY_READS}")
    assert runs == 12
    assert spent <= 50 * 5 + 30 + 250  # their shares, and the pool


def test_another_runner_s_event_does_not_pass_for_a_repeat(club: Harness) -> None:
    attacker, other = link_athlete(club, 7), link_athlete(club, 8)
    run = club.finish_run(other)

    club.deliver_event(attacker, run.id, "create")
    club.deliver_event(other, run.id, "create")
    handle.process_due(club.runtime)

    assert is_stored(club, run)


def test_events_about_runs_that_are_there_take_a_share_alone(club: Harness) -> None:
    victim, other = link_athlete(club, 7), link_athlete(club, 8)
    real = finish_run(club, victim)
    before = club.count_strava_reads()

    for minute in range(60):
        club.deliver_event(victim, real.id, "update", type="Run")
        handle.process_due(club.runtime)
        if minute % 20 == 7:
            assert is_stored(club, finish_run(club, other))
        club.advance_clock(minutes=1)

    spent = club.count_strava_reads() - before - 3
    report(f"60 forged updates of a real run: {spent} reads")
    own_share, burst, filled_in_an_hour = 5, 30, 250 // 24 + 1
    assert spent <= own_share + burst + filled_in_an_hour


def test_a_real_run_in_the_flood_is_found(club: Harness) -> None:
    victim = link_athlete(club, 7)
    forge(club, victim, FLOOD)
    handle.process_due(club.runtime)

    run = finish_run(club, victim)
    forge(club, victim, FLOOD)
    club.advance_clock(seconds=LIST_INTERVAL.total_seconds())
    handle.process_due(club.runtime)

    assert is_stored(club, run)


def test_an_old_run_left_to_the_list_is_found_by_the_whole_of_it(club: Harness) -> None:
    victim = link_athlete(club, 7)
    with club.runtime.db.transaction() as session:
        session.execute(
            update(ReconcileState).values(
                compared_at=club.clock().replace(year=club.clock().year - 1)
            )
        )
    forge(club, victim, MAX_WAITING)
    old = club.finish_run(victim, ended_minutes_ago=60 * 24 * 60)

    club.deliver_event(victim, old.id, "create")
    with club.runtime.db.read_only() as session:
        due_at = session.scalars(select(ReconcileState.due_at)).one()
        noted = counters.load_counts(session)
    reconcile.process_due(club.runtime)

    assert due_at == club.clock()
    assert noted[LEFT_TO_LIST] == 1
    assert is_stored(club, old)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_left_to_the_list_waits_for_nobody_who_writes_of_the_runner(
    linked_harness: Harness,
) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)
    forge(linked_harness, athlete, MAX_WAITING)
    linked_harness.advance_clock(hours=1)
    db = linked_harness.runtime.db
    with db.read_only() as session:
        runner_id = session.scalars(select(ReconcileState.runner_id)).one()
    with db.transaction() as session:
        session.execute(
            update(ReconcileState).values(
                swept_at=None,
                due_at=linked_harness.clock() + LIST_INTERVAL,
                compared_at=linked_harness.clock() - timedelta(days=8),
            )
        )

    forging = Thread(target=forge, args=(linked_harness, athlete, 2))
    with db.transaction(runner_id=runner_id):
        forging.start()
        forging.join(10)
        is_answered = not forging.is_alive()
    forging.join()

    with db.read_only() as session:
        state = session.scalars(select(ReconcileState)).one()
    assert is_answered
    assert state.due_at == linked_harness.clock()
    assert state.compared_at == linked_harness.clock() - FULL_INTERVAL


def test_a_runner_who_takes_the_permission_back_is_heard_in_the_flood(
    linked_harness: Harness,
) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)
    forge(linked_harness, athlete, FLOOD)
    with linked_harness.world.transaction():
        grants.deauthorise_athlete(linked_harness.world, athlete.id)

    deliver_deauthorisation(linked_harness, athlete.id)
    handle.process_due(linked_harness.runtime)

    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Connection)).all() == []


def test_what_comes_while_a_list_is_read_is_not_left_to_that_list(
    linked_harness: Harness,
) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)
    forge(linked_harness, athlete, MAX_WAITING)
    with linked_harness.runtime.db.transaction() as session:
        batch = store.claim_next(session, now=linked_harness.clock())

    run = linked_harness.finish_run(athlete)

    assert batch is not None
    assert linked_harness.deliver_event(athlete, run.id, "create")


def test_a_false_id_is_asked_for_by_itself_once(linked_harness: Harness) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)
    linked_harness.deliver_event(athlete, FALSE_ID, "create")

    for wait_s in (0, 30, 120, 600, 3600, 86400):
        linked_harness.advance_clock(seconds=wait_s)
        handle.process_due(linked_harness.runtime)

    assert count_requests(linked_harness, "detail") == 1
    assert count_waiting(linked_harness) == 0


def test_after_some_misses_only_the_list_is_read(linked_harness: Harness) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)

    for _ in range(4 * MAX_MISSES):
        forge(linked_harness, athlete, 1)
        linked_harness.advance_clock(minutes=20)
        handle.process_due(linked_harness.runtime)

    assert count_requests(linked_harness, "detail") == MAX_MISSES


def test_the_end_of_a_run_that_is_not_here_is_not_asked_for(
    linked_harness: Harness,
) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)
    before = linked_harness.count_strava_reads()

    forge(linked_harness, athlete, MAX_WAITING, "delete")
    linked_harness.process_all_due()

    assert linked_harness.count_strava_reads() == before
    assert count_waiting(linked_harness) == 0


def test_runs_whose_end_is_invented_are_back_after_one_list_read(
    linked_harness: Harness,
) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)
    runs = [
        linked_harness.finish_run(athlete, ended_minutes_ago=300 * n)
        for n in range(1, 11)
    ]
    for run in runs:
        linked_harness.deliver_event(athlete, run.id, "create")
    linked_harness.process_all_due()
    before = linked_harness.count_strava_reads()

    for run in runs:
        linked_harness.deliver_event(athlete, run.id, "delete")
    linked_harness.process_all_due()

    assert linked_harness.count_strava_reads() - before == 1
    assert all(is_stored(linked_harness, run) for run in runs)


def test_of_a_runner_in_doubt_no_run_is_hidden_before_strava_is_asked(
    linked_harness: Harness,
) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)
    run = finish_run(linked_harness, athlete)
    doubt_all(linked_harness)

    with linked_harness.world.transaction():
        linked_harness.world.faults.put(
            SimulatedFault(id=1, kind="status", status=500, on="list", times=1)
        )
    linked_harness.deliver_event(athlete, run.id, "delete")
    linked_harness.process_all_due()

    assert is_stored(linked_harness, run)


def test_of_a_runner_in_doubt_a_run_that_is_gone_goes(linked_harness: Harness) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)
    run = finish_run(linked_harness, athlete)
    doubt_all(linked_harness)

    with linked_harness.world.transaction():
        activities.delete_activity(linked_harness.world, run)
    linked_harness.deliver_event(athlete, run.id, "delete")
    linked_harness.process_all_due()

    assert not is_stored(linked_harness, run)


def test_of_a_runner_in_doubt_old_runs_are_asked_for_by_older_lists(
    linked_harness: Harness,
) -> None:
    """The list's newest page shows none of them, which proves nothing."""
    athlete = activities.require_athlete(linked_harness.world, 7)
    old = linked_harness.finish_run(athlete, ended_minutes_ago=60 * 24 * 400)
    linked_harness.deliver_event(athlete, old.id, "create")
    linked_harness.process_all_due()
    for n in range(205):
        linked_harness.finish_run(athlete, ended_minutes_ago=60 * 30 * (n + 1))
    new = linked_harness.finish_run(athlete)
    doubt_all(linked_harness)

    linked_harness.deliver_event(athlete, old.id, "delete")
    linked_harness.deliver_event(athlete, new.id, "create")
    for _ in range(3):
        handle.process_due(linked_harness.runtime)
        linked_harness.advance_clock(seconds=LIST_INTERVAL.total_seconds())

    assert count_requests(linked_harness, "detail") == 1  # of `old`, when it was new
    assert is_stored(linked_harness, old)
    assert is_stored(linked_harness, new)
    assert count_waiting(linked_harness) == 0


def test_doubt_is_over_after_a_day(linked_harness: Harness) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)
    doubt_all(linked_harness)
    linked_harness.advance_clock(hours=25)

    run = finish_run(linked_harness, athlete)

    assert is_stored(linked_harness, run)
    assert count_requests(linked_harness, "detail") == 1


def test_invented_deauthorisations_count_as_misses(linked_harness: Harness) -> None:
    athlete = activities.require_athlete(linked_harness.world, 7)

    for _ in range(MAX_MISSES):
        linked_harness.advance_clock(minutes=1)
        deliver_deauthorisation(linked_harness, athlete.id)
        handle.process_due(linked_harness.runtime)

    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Connection.misses)).one() == MAX_MISSES
