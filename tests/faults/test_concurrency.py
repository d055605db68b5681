"""Many processes at once: one database, one pair of tokens, one runner."""

from sqlalchemy import func, select

from sync.models import Connection, Event, Mail, Run, Runner
from sync.runners import deletion
from sync.simulator.records import App
from tests.faults.worker_pool import Job, Workshop
from tests.support.harness import Stage
from tests.support.table_comparison import ours, survey_mails, theirs


def test_eight_processes_write_and_none_is_refused(
    stage: Stage, workshop: Workshop
) -> None:
    stage.link(stage.athlete())
    jobs = [
        Job("deliver", values={"first": 40 * number, "events": 80, "athlete_id": 7})
        for number in range(8)
    ]

    ends = workshop.at_once(stage, jobs)

    assert ends == [0] * 8
    with stage.runtime.db.reading() as session:
        kept = session.scalar(select(func.count()).select_from(Event))
    assert kept == 40 * 7 + 80  # each overlaps the next by half


def test_two_processes_refresh_one_token_200_times(
    stage: Stage, workshop: Workshop
) -> None:
    with stage.world.change():
        stage.world.set(App(client_id="1", client_secret="simulated", rotate="always"))
    runner_id = stage.link(stage.athlete())
    values = {"runner_id": runner_id, "times": 100, "real_clock": True}

    ends = workshop.at_once(stage, [Job("refresh", values=values)] * 2)

    assert ends == [0, 0]
    grant = stage.world.grants.get(7)
    assert grant is not None
    with stage.runtime.db.reading() as session:
        kept = session.get_one(Connection, runner_id)
    assert stage.runtime.sealer.open(kept.refresh_token) == grant.refresh_token
    assert kept.broken_at is None
    assert kept.lease_until is None


def test_four_workers_share_a_pile_of_events(stage: Stage, workshop: Workshop) -> None:
    athletes = [stage.athlete(100 + number) for number in range(8)]
    for athlete in athletes:
        stage.link(athlete)
    stage.work()
    stage.pass_time(hours=3)
    before = stage.reads()
    for athlete in athletes:
        for hours in (1, 2):
            run = stage.run(athlete, ended_minutes_ago=60 * hours)
            stage.tell(athlete, run.id, "create")

    ends = workshop.at_once(stage, [Job("inbox"), Job("surveys")] * 4)
    stage.work()

    assert ends == [0] * 8
    assert ours(stage) == theirs(stage.world)
    assert stage.reads() - before == len(athletes)  # one list each
    with stage.runtime.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 16
    assert len(survey_mails(stage)) == len(set(survey_mails(stage)))


def test_four_workers_share_the_runners_who_go(
    stage: Stage, workshop: Workshop
) -> None:
    for number in range(6):
        deletion.ask(stage.runtime, stage.link(stage.athlete(200 + number)))
    stage.pass_time(minutes=10)

    ends = workshop.at_once(stage, [Job("leaving")] * 4)

    assert ends == [0] * 4
    assert list(stage.world.grants) == []
    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Runner.id)).all() == []
        assert session.scalars(select(Mail.kind)).all() == ["deleted"] * 6
