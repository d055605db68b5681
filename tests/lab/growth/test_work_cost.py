"""Twice as much due work costs twice as much, of one runner and of many."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, insert, select, update

from sync.inbox import purge as inbox_purge
from sync.mail import outbox
from sync.models import (
    Connection,
    Decision,
    Event,
    Export,
    Run,
    Runner,
    Sweep,
)
from sync.portability import exports
from sync.queue import Work
from sync.runners import deletion, disconnect
from sync.runners import purge as runners_purge
from sync.runs import retention
from sync.simulator.records import Activity, Athlete
from sync.standins.fixtures.run_history import Past, new_runner, remember
from tests.lab.growth.cost import cost_of, grows_too_fast
from tests.support.clock import NOON
from tests.support.harness import Stage
from tests.support.inline_queue import DRAINS
from tests.support.smtp_servers import listening

pytestmark = pytest.mark.slow

Prepare = Callable[[Stage, int], object]
Do = Callable[[Stage], object]


@dataclass(frozen=True)
class Kind:
    """Some due work: `prepare` makes so much of it, `do` does it all."""

    prepare: Prepare
    do: Do
    rows: int


def drain(*works: Work) -> Do:
    def do(stage: Stage) -> None:
        for work in works:
            DRAINS[work](stage.runtime)

    return do


def upload(stage: Stage, athlete: Athlete, count: int) -> list[int]:
    """Let an athlete have run so often before today; return Strava's ids."""
    ids = range(athlete.id * 10**6, athlete.id * 10**6 + count)
    with stage.world.change():
        for number, activity_id in enumerate(ids):
            stage.world.put_activity(
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


def a_past(stage: Stage, count: int) -> int:
    athlete = stage.athlete()
    upload(stage, athlete, count)
    return stage.link(athlete)


def a_past_answered_before(stage: Stage, count: int) -> None:
    """Link anew someone whose answers have waited for their runs."""
    runner_id = a_past(stage, count)
    drain(Work.BACKFILL, Work.SURVEYS)(stage)
    with stage.runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        past = remember(
            stage.runtime, session, runner, Past(count, count), now=stage.clock()
        )
        session.execute(update(Run).where(Run.id.in_(past)).values(source="hand"))
    disconnect.disconnect(stage.runtime, runner_id)
    stage.link(stage.athlete())


def an_undecided_past(stage: Stage, count: int) -> None:
    a_past(stage, count)
    drain(Work.BACKFILL)(stage)


def news(stage: Stage, count: int) -> None:
    """Let one runner hoard a run a day, and upload them all at once."""
    athlete = stage.athlete()
    stage.link(athlete)
    drain(Work.BACKFILL)(stage)
    stage.pass_time(days=count)
    for day in range(count):
        run = stage.run(athlete, ended_minutes_ago=day * 24 * 60, moving_s=1200)
        stage.tell(athlete, run.id, "create")


def undecided_news(stage: Stage, count: int) -> None:
    news(stage, count)
    drain(Work.INBOX)(stage)


def runners(stage: Stage, count: int, **columns: Any) -> list[int]:
    """Give many runners, each with ten runs of which five are answered."""
    found = []
    with stage.runtime.db.transaction() as session:
        for number in range(1, count + 1):
            runner = new_runner(
                stage.runtime, session, number, now=stage.clock(), address=True
            )
            past = Past(runs=10, answers=5)
            remember(stage.runtime, session, runner, past, now=stage.clock())
            found.append(runner.id)
        if columns:
            session.execute(update(Runner).values(columns))
    return found


def an_event_of_each(stage: Stage, count: int) -> None:
    found = runners(stage, count)
    with stage.runtime.db.transaction() as session:
        for number, runner_id in enumerate(found):
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
                    happened_at=stage.clock(),
                    received_at=stage.clock(),
                    due_at=stage.clock() + timedelta(milliseconds=number - count),
                )
            )


def a_new_run_of_each(stage: Stage, count: int) -> None:
    runners(stage, count)
    now = stage.clock()
    with stage.runtime.db.transaction() as session:
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


def a_week_of_each(stage: Stage, count: int) -> None:
    stage.clock.at = NOON.replace(day=4, hour=9)  # a Monday
    runners(stage, count, preferences={"digest": True})


def a_mail_to_each(stage: Stage, count: int) -> None:
    found = runners(stage, count)
    now = stage.clock()
    with stage.runtime.db.transaction() as session:
        for runner_id in found:
            outbox.promise(
                session,
                sealer=stage.runtime.sealer,
                now=now,
                dedupe_key=f"disconnected:{runner_id}",
                kind="disconnected",
                runner_id=runner_id,
                values={},
                stale_at=now + timedelta(days=1),
            )


def deliver(stage: Stage) -> None:
    with listening() as post:
        server = {"smtp_url": SecretStr(post.url)}
        settings = stage.runtime.settings.model_copy(update=server)
        DRAINS[Work.OUTBOX](replace(stage.runtime, settings=settings))


def a_comparison(stage: Stage, count: int) -> None:
    """Let a whole list be compared anew, of which half the runs were edited."""
    an_undecided_past(stage, count)
    drain(Work.SURVEYS)(stage)
    stage.pass_time(days=2)
    with stage.runtime.db.transaction() as session:
        session.execute(
            update(Sweep).values(compared_at=NOON - timedelta(days=40), due_at=NOON)
        )
        session.execute(
            update(Run).where(Run.source_id % 2 == 0).values(distance_m=4000)
        )


def leavers(stage: Stage, count: int) -> None:
    for runner_id in runners(stage, count):
        deletion.ask(stage.runtime, runner_id)
    stage.pass_time(minutes=11)


def answers_kept(stage: Stage, count: int) -> int:
    """Give one runner many runs with answers, each with the runner's own facts."""
    with stage.runtime.db.transaction() as session:
        runner = new_runner(stage.runtime, session, 1, now=stage.clock(), address=True)
        past = Past(runs=count, answers=count)
        remember(stage.runtime, session, runner, past, now=stage.clock())
        return runner.id


def one_who_leaves(stage: Stage, count: int) -> None:
    deletion.ask(stage.runtime, answers_kept(stage, count))
    stage.pass_time(minutes=11)


def an_export(stage: Stage, count: int) -> None:
    exports.ask(stage.runtime, answers_kept(stage, count))


def rubbish(stage: Stage, count: int) -> None:
    """Leave much that is over: hidden runs, settled events, files, quiet accounts."""
    an_event_of_each(stage, count)
    long_ago = stage.clock() - timedelta(days=400)
    with stage.runtime.db.transaction() as session:
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


def tidy(stage: Stage) -> None:
    for part in (inbox_purge, retention, runners_purge, exports):
        part.tidy(stage.runtime)


KINDS = {
    "a past is imported": Kind(a_past, drain(Work.BACKFILL, Work.SURVEYS), 400),
    "a past comes back": Kind(
        a_past_answered_before, drain(Work.BACKFILL, Work.SURVEYS), 100
    ),
    "a past is decided about": Kind(an_undecided_past, drain(Work.SURVEYS), 100),
    "one runner's events": Kind(news, drain(Work.INBOX), 25),
    "many runners' events": Kind(an_event_of_each, drain(Work.INBOX), 40),
    "one runner's new runs": Kind(undecided_news, drain(Work.SURVEYS), 25),
    "many runners' new runs": Kind(a_new_run_of_each, drain(Work.SURVEYS), 40),
    "check-ins": Kind(runners, drain(Work.CHECKINS), 40),
    "looks back": Kind(a_week_of_each, drain(Work.DIGEST), 10),
    "mails": Kind(a_mail_to_each, deliver, 40),
    "a list is compared": Kind(a_comparison, drain(Work.SWEEP), 400),
    "many leave": Kind(leavers, drain(Work.LEAVING), 15),
    "one with many answers leaves": Kind(one_who_leaves, drain(Work.LEAVING), 100),
    "an export": Kind(an_export, drain(Work.EXPORT), 50),
    "tidying": Kind(rubbish, tidy, 40),
}


@pytest.mark.parametrize("name", KINDS)
def test_twice_the_rows_cost_twice_as_much(
    name: str, new_stage: Callable[[], Stage]
) -> None:
    kind = KINDS[name]
    costs = []
    # The first is for what is loaded, compiled and remembered only once.
    for rows in (kind.rows, kind.rows, 2 * kind.rows, 4 * kind.rows):
        stage = new_stage()
        kind.prepare(stage, rows)
        engine = stage.runtime.db.engine
        costs.append(cost_of(engine, partial(kind.do, stage)))

    assert not grows_too_fast(costs[1:])
    assert costs[2].steps > costs[1].steps  # else nothing was done
