"""kill -9 at every step of every kind of work: nothing is lost, nothing doubled."""

from collections.abc import Callable, Iterable
from itertools import count

from sqlalchemy import select

from sync.models import Answer, Backfill, Connection, Mail, Run, Runner
from sync.runners import deletion, disconnect
from sync.runs import reconcile
from sync.simulator import activities
from sync.simulator.records import Activity, App
from sync.surveys.answering import answer
from tests.faults.worker_pool import Job, Workshop
from tests.support.harness import Stage
from tests.support.table_comparison import ours, survey_mails, theirs, undecided

MOST_STEPS = 80


def linked(stage: Stage, athlete_id: int = 7) -> int:
    """Link a runner whose tokens last: a lost refresh is a test of its own."""
    widen(stage, token_s=10_000_000)
    runner_id = stage.link(stage.athlete(athlete_id))
    stage.work()
    return runner_id


def widen(stage: Stage, **changes: int | str) -> None:
    with stage.world.change():
        stage.world.set(
            App(
                client_id="1",
                client_secret="simulated",
                athlete_limit=1000,
                **changes,  # type: ignore[arg-type]
            )
        )


def kill_at_each_step(
    stage: Stage,
    workshop: Workshop,
    work: str,
    prepare: Callable[[int], None],
    *,
    then: Callable[[], None] | None = None,
    steps: Iterable[int] | None = None,
) -> int:
    """Prepare, kill, take over after the lease; until a worker lives to the end."""
    for step in steps or count(1):
        assert step < MOST_STEPS
        prepare(step)
        lived = workshop.survives(stage, Job(work, dies_at=step))
        stage.pass_time(minutes=11)
        stage.work()
        if then:
            then()
        if lived:
            return step - 1
    raise AssertionError


def test_a_pull(stage: Stage, workshop: Workshop) -> None:
    linked(stage)
    athlete = activities.find_athlete(stage.world, 7)
    made: list[Activity] = []

    def prepare(step: int) -> None:
        stage.pass_time(days=1)
        made.append(stage.run(athlete, distance_m=5000 + step))
        stage.tell(athlete, made[-1].id, "create")

    deaths = kill_at_each_step(stage, workshop, "inbox", prepare)

    assert deaths >= 8
    assert ours(stage) == theirs(stage.world)
    assert undecided(stage) == 0
    asked = survey_mails(stage)
    assert asked
    assert len(asked) == len(set(asked))
    assert stage.reads() <= 2 * len(made) + 1


def test_a_delete(stage: Stage, workshop: Workshop) -> None:
    runner_id = linked(stage)
    athlete = activities.find_athlete(stage.world, 7)

    def prepare(step: int) -> None:
        stage.pass_time(days=1)
        run = stage.run(athlete, distance_m=5000 + step)
        stage.tell(athlete, run.id, "create")
        stage.work()
        with stage.runtime.db.reading() as session:
            ours_id = session.scalars(
                select(Run.id).where(Run.source_id == run.id)
            ).one()
        answer.record_for_run(
            stage.runtime, runner_id=runner_id, run_id=ours_id, values={"mood": 1}
        )
        with stage.world.change():
            activities.delete(stage.world, run)
        stage.pass_time(minutes=1)
        stage.tell(athlete, run.id, "delete")

    deaths = kill_at_each_step(stage, workshop, "inbox", prepare)

    assert deaths >= 8
    assert ours(stage) == {}
    with stage.runtime.db.reading() as session:
        kept = session.scalars(select(Answer.run_id)).all()
    assert kept == [None] * (deaths + 1)


def test_an_import(stage: Stage, workshop: Workshop) -> None:
    widen(stage, page_at_most=4)

    def prepare(step: int) -> None:
        athlete = stage.athlete(1000 + step)
        for days_ago in range(1, 6):
            stage.run(athlete, ended_minutes_ago=days_ago * 1440)
        stage.link(athlete)

    deaths = kill_at_each_step(stage, workshop, "backfill", prepare)

    assert deaths >= 15
    assert ours(stage) == theirs(stage.world)
    with stage.runtime.db.reading() as session:
        seen = session.scalars(select(Backfill.activities_seen)).all()
    assert seen == [5] * (deaths + 1)
    # Two pages and the empty one, and at most one page twice.
    assert stage.reads() <= 3 * (deaths + 1) + deaths


def test_a_sweep(stage: Stage, workshop: Workshop) -> None:
    linked(stage)
    athlete = activities.find_athlete(stage.world, 7)

    def prepare(step: int) -> None:
        stage.pass_time(days=1)
        stage.run(athlete, distance_m=5000 + step, silent=True)
        known = sorted(theirs(stage.world))
        if len(known) > 3:
            doomed = activities.find_activity(stage.world, known[0])
            with stage.world.change():
                activities.delete(stage.world, doomed)

    def then() -> None:
        stage.pass_time(hours=1)
        reconcile.drain(stage.runtime)

    kill_at_each_step(stage, workshop, "sweep", prepare, then=then)
    stage.pass_time(days=1)
    reconcile.drain(stage.runtime)
    stage.work()

    assert ours(stage) == theirs(stage.world)
    assert undecided(stage) == 0


def test_a_goodbye(stage: Stage, workshop: Workshop) -> None:
    widen(stage)
    step = 0
    lived = False
    while not lived:
        step += 1
        athlete = stage.athlete(2000 + step)
        stage.run(athlete, ended_minutes_ago=9000)
        runner_id = stage.link(athlete)
        stage.work()

        lived = workshop.survives(
            stage, Job("disconnect", dies_at=step, values={"runner_id": runner_id})
        )
        with stage.runtime.db.reading() as session:
            begun = session.get_one(Runner, runner_id).leaving_for
        stage.pass_time(minutes=11)
        disconnect.resume(stage.runtime)
        if step == 1:
            # Killed before the wish was written down: the runner asks again.
            assert begun is None
            disconnect.disconnect(stage.runtime, runner_id)

    assert step >= 5
    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Connection.runner_id)).all() == []
        assert session.scalars(select(Run.id)).all() == []
        kinds = session.scalars(select(Mail.kind)).all()
    assert kinds == ["disconnected"] * step
    assert list(stage.world.grants) == []


def test_a_deletion(stage: Stage, workshop: Workshop) -> None:
    widen(stage)
    step = 0
    lived = False
    while not lived:
        step += 1
        athlete = stage.athlete(4000 + step)
        stage.run(athlete, ended_minutes_ago=9000)
        runner_id = stage.link(athlete)
        stage.work()
        deletion.ask(stage.runtime, runner_id)
        stage.pass_time(minutes=10)

        lived = workshop.survives(stage, Job("leaving", dies_at=step))
        stage.pass_time(minutes=3)
        disconnect.resume(stage.runtime)

    assert step >= 5
    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Runner.id)).all() == []
        assert session.scalars(select(Run.id)).all() == []
        kinds = session.scalars(select(Mail.kind)).all()
    assert kinds == ["deleted"] * step
    assert list(stage.world.grants) == []


def test_a_refresh(stage: Stage, workshop: Workshop) -> None:
    """A pair lost between Strava's answer and our commit ends in one invitation."""
    widen(stage, rotate="always")
    ends = []
    for step in range(1, 9):
        athlete = stage.athlete(3000 + step)
        runner_id = stage.link(athlete)
        stage.work()
        stage.pass_time(hours=7)
        run = stage.run(athlete)
        stage.tell(athlete, run.id, "create")

        workshop.survives(stage, Job("inbox", dies_at=step))
        for _ in range(3):
            stage.pass_time(minutes=11)
            stage.work()

        with stage.runtime.db.reading() as session:
            stored = session.scalars(
                select(Run.id).where(Run.runner_id == runner_id)
            ).all()
            kinds = session.scalars(
                select(Mail.kind).where(
                    Mail.runner_id == runner_id, Mail.kind == "reconnect"
                )
            ).all()
        ends.append((len(stored), len(kinds)))

    assert set(ends) <= {(1, 0), (0, 1)}
    assert ends.count((0, 1)) <= 2
