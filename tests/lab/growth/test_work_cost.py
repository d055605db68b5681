"""Twice as much due work costs twice as much, of one runner and of many."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, insert, select, update

from sync.mail import outbox
from sync.models import (
    Connection,
    Decision,
    Event,
    Export,
    ReconcileState,
    Run,
    Runner,
)
from sync.portability import exports
from sync.preferences import Preferences
from sync.queue import Job
from sync.runners import deletion, disconnect
from sync.simulator.records import Activity, Athlete
from sync.standins.fixtures.run_history import RunHistory, create_runner, store_history
from sync.vocabulary import MailKind
from tests.lab.growth.cost import grows_too_fast, measure_cost
from tests.support.clock import NOON
from tests.support.harness import Harness
from tests.support.smtp_servers import run_smtp_server
from workers.jobs import PROCESSORS, PURGES

pytestmark = pytest.mark.slow

Prepare = Callable[[Harness, int], object]
Do = Callable[[Harness], object]


@dataclass(frozen=True)
class WorkKind:
    """Some due work: `prepare` makes so much of it, `do` does it all."""

    prepare: Prepare
    do: Do
    rows: int


def drain(*works: Job) -> Do:
    def do(harness: Harness) -> None:
        for work in works:
            PROCESSORS[work](harness.runtime)

    return do


def add_runs(harness: Harness, athlete: Athlete, count: int) -> list[int]:
    """Let an athlete have run so often before today; return Strava's ids."""
    ids = range(athlete.id * 10**6, athlete.id * 10**6 + count)
    with harness.world.transaction():
        for number, activity_id in enumerate(ids):
            harness.world.put_activity(
                Activity(
                    id=activity_id,
                    athlete_id=athlete.id,
                    name="Run",
                    sport_type="Run",
                    start_s=int(NOON.timestamp()) - (number + 1) * 30_000,
                    zone="Europe/Berlin",
                    distance_m=5000.0,
                    moving_s=1800,
                    elapsed_s=1800,
                )
            )
    return [*ids]


def add_past_runs(harness: Harness, count: int) -> int:
    athlete = harness.add_athlete()
    add_runs(harness, athlete, count)
    return harness.link_runner(athlete)


def add_answered_past(harness: Harness, count: int) -> None:
    """Link anew someone whose answers have waited for their runs."""
    runner_id = add_past_runs(harness, count)
    drain(Job.BACKFILL, Job.SURVEYS)(harness)
    with harness.runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        history = store_history(
            harness.runtime,
            session,
            runner,
            RunHistory(count, count),
            now=harness.clock(),
        )
        session.execute(update(Run).where(Run.id.in_(history)).values(source="hand"))
    disconnect.disconnect(harness.runtime, runner_id)
    harness.link_runner(harness.add_athlete())


def add_undecided_past(harness: Harness, count: int) -> None:
    add_past_runs(harness, count)
    drain(Job.BACKFILL)(harness)


def add_events(harness: Harness, count: int) -> None:
    """Let one runner hoard a run a day, and upload them all at once."""
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    drain(Job.BACKFILL)(harness)
    harness.advance_clock(days=count)
    for day in range(count):
        run = harness.finish_run(
            athlete, ended_minutes_ago=day * 24 * 60, moving_s=1200
        )
        harness.deliver_event(athlete, run.id, "create")


def add_undecided_runs(harness: Harness, count: int) -> None:
    add_events(harness, count)
    drain(Job.INBOX)(harness)


def add_runners(harness: Harness, count: int, **columns: Any) -> list[int]:
    """Give many runners, each with ten runs of which five are answered."""
    runner_ids = []
    with harness.runtime.db.transaction() as session:
        for number in range(1, count + 1):
            runner = create_runner(
                harness.runtime, session, number, now=harness.clock(), has_email=True
            )
            history = RunHistory(runs=10, answers=5)
            store_history(
                harness.runtime, session, runner, history, now=harness.clock()
            )
            runner_ids.append(runner.id)
        if columns:
            session.execute(update(Runner).values(columns))
    return runner_ids


def add_event_per_runner(harness: Harness, count: int) -> None:
    runner_ids = add_runners(harness, count)
    with harness.runtime.db.transaction() as session:
        for number, runner_id in enumerate(runner_ids):
            runner = session.get_one(Runner, runner_id)
            run_id = session.scalar(
                select(Run.source_id).where(Run.runner_id == runner_id).limit(1)
            )
            session.add(
                Event(
                    dedupe_key=f"event {number}",
                    subject="activity",
                    subject_id=run_id,
                    aspect="update",
                    athlete_id=runner.athlete_id,
                    updates={"visibility": "followers_only"},
                    happened_at=harness.clock(),
                    received_at=harness.clock(),
                    due_at=harness.clock() + timedelta(milliseconds=number - count),
                )
            )


def add_run_per_runner(harness: Harness, count: int) -> None:
    add_runners(harness, count)
    now = harness.clock()
    with harness.runtime.db.transaction() as session:
        session.execute(update(Connection).values(linked_at=now - timedelta(days=99)))
        for runner_id in session.scalars(select(Runner.id)).all():
            run = session.scalars(
                select(Run)
                .where(Run.runner_id == runner_id)
                .order_by(Run.started_at.desc())
                .limit(1)
            ).one()
            run.source_id += 10**9
            run.started_at = now - timedelta(hours=2)
            run.local_day = run.started_at.date()
            run.undecided_since = now
            session.execute(delete(Decision).where(Decision.run_id == run.id))


def add_week_per_runner(harness: Harness, count: int) -> None:
    harness.clock.at = NOON.replace(day=4, hour=9)  # a Monday
    add_runners(harness, count, preferences=Preferences(digest=True))


def add_mail_per_runner(harness: Harness, count: int) -> None:
    runner_ids = add_runners(harness, count)
    now = harness.clock()
    with harness.runtime.db.transaction() as session:
        for runner_id in runner_ids:
            outbox.enqueue_mail(
                session,
                sealer=harness.runtime.sealer,
                now=now,
                dedupe_key=f"disconnected:{runner_id}",
                kind=MailKind.DISCONNECTED,
                runner_id=runner_id,
                values={},
                stale_at=now + timedelta(days=1),
            )


def deliver(harness: Harness) -> None:
    with run_smtp_server() as post:
        server = {"smtp_url": SecretStr(post.url)}
        settings = harness.runtime.settings.model_copy(update=server)
        PROCESSORS[Job.OUTBOX](replace(harness.runtime, settings=settings))


def add_reconcile(harness: Harness, count: int) -> None:
    """Let a whole list be compared anew, of which half the runs were edited."""
    add_undecided_past(harness, count)
    drain(Job.SURVEYS)(harness)
    harness.advance_clock(days=2)
    with harness.runtime.db.transaction() as session:
        session.execute(
            update(ReconcileState).values(
                compared_at=NOON - timedelta(days=40), due_at=NOON
            )
        )
        session.execute(
            update(Run).where(Run.source_id % 2 == 0).values(distance_m=4000)
        )


def add_disconnects(harness: Harness, count: int) -> None:
    for runner_id in add_runners(harness, count):
        deletion.request_deletion(harness.runtime, runner_id)
    harness.advance_clock(minutes=11)


def add_retained_answers(harness: Harness, count: int) -> int:
    """Give one runner many runs with answers, each with the runner's own facts."""
    with harness.runtime.db.transaction() as session:
        runner = create_runner(
            harness.runtime, session, 1, now=harness.clock(), has_email=True
        )
        history = RunHistory(runs=count, answers=count)
        store_history(harness.runtime, session, runner, history, now=harness.clock())
        return runner.id


def add_one_disconnect(harness: Harness, count: int) -> None:
    deletion.request_deletion(harness.runtime, add_retained_answers(harness, count))
    harness.advance_clock(minutes=11)


def add_export(harness: Harness, count: int) -> None:
    exports.request_export(harness.runtime, add_retained_answers(harness, count))


def add_expired_rows(harness: Harness, count: int) -> None:
    """Leave much that is over: hidden runs, settled events, files, quiet accounts."""
    add_event_per_runner(harness, count)
    long_ago = harness.clock() - timedelta(days=400)
    with harness.runtime.db.transaction() as session:
        session.execute(update(Run).values(hidden_at=long_ago))
        session.execute(update(Event).values(due_at=None, received_at=long_ago))
        session.execute(update(Runner).values(active_at=long_ago))
        session.execute(
            insert(Export),
            [
                {
                    "runner_id": runner_id,
                    "asked_at": long_ago,
                    "expires_at": long_ago,
                    "sealed": b"file",
                    "tables": 1,
                }
                for runner_id in session.scalars(select(Runner.id))
            ],
        )


def tidy(harness: Harness) -> None:
    for purge in PURGES:
        purge(harness.runtime)


KINDS = {
    "a past is imported": WorkKind(
        add_past_runs, drain(Job.BACKFILL, Job.SURVEYS), 400
    ),
    "a past comes back": WorkKind(
        add_answered_past, drain(Job.BACKFILL, Job.SURVEYS), 200
    ),
    "a past is decided about": WorkKind(add_undecided_past, drain(Job.SURVEYS), 100),
    "one runner's events": WorkKind(add_events, drain(Job.INBOX), 25),
    "many runners' events": WorkKind(add_event_per_runner, drain(Job.INBOX), 40),
    "one runner's new runs": WorkKind(add_undecided_runs, drain(Job.SURVEYS), 25),
    "many runners' new runs": WorkKind(add_run_per_runner, drain(Job.SURVEYS), 40),
    "check-ins": WorkKind(add_runners, drain(Job.CHECKINS), 40),
    "looks back": WorkKind(add_week_per_runner, drain(Job.DIGEST), 10),
    "mails": WorkKind(add_mail_per_runner, deliver, 40),
    "a list is compared": WorkKind(add_reconcile, drain(Job.RECONCILE), 400),
    "many leave": WorkKind(add_disconnects, drain(Job.REMOVALS), 15),
    "one with many answers leaves": WorkKind(
        add_one_disconnect, drain(Job.REMOVALS), 100
    ),
    "an export": WorkKind(add_export, drain(Job.EXPORT), 50),
    "tidying": WorkKind(add_expired_rows, tidy, 40),
}


@pytest.mark.parametrize("name", KINDS)
def test_twice_the_rows_cost_twice_as_much(
    name: str, new_harness: Callable[[], Harness]
) -> None:
    kind = KINDS[name]
    costs = []
    # The first is for what is loaded, compiled and remembered only once.
    for rows in (kind.rows, kind.rows, 2 * kind.rows, 4 * kind.rows):
        harness = new_harness()
        kind.prepare(harness, rows)
        engine = harness.runtime.db.engine
        costs.append(measure_cost(engine, partial(kind.do, harness)))

    assert not grows_too_fast(costs[1:])
    assert costs[2].steps > costs[1].steps  # else nothing was done
