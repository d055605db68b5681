"""Linking a runner and importing their past."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from sync.errors import CodeRefused, OtherRunner, ScopeMissing, StateRefused
from sync.models import Backfill, Connection, Decision, Run, Runner
from sync.runners import connect, disconnect
from sync.runners.tokens import access_token
from sync.runs import store
from sync.simulator import grants
from sync.strava import Lane, RemoteRun
from tests.support.harness import ALL_BOXES, Stage


def test_a_linked_runner_has_all_their_runs_and_nothing_else(stage: Stage) -> None:
    athlete = stage.athlete()
    for days_ago in range(1, 6):
        stage.run(athlete, distance_m=5000, ended_minutes_ago=days_ago * 1440)
    stage.run(athlete, sport_type="Ride", ended_minutes_ago=9000)

    runner_id = stage.link(athlete)
    stage.work()

    with stage.runtime.db.reading() as session:
        total = session.scalar(select(func.sum(Run.distance_m)))
        backfill = session.get_one(Backfill, runner_id)
    assert total == 25_000
    assert backfill.activities_seen == 6
    assert backfill.finished_at is not None


def test_a_run_stays_with_whoever_linked_first(stage: Stage) -> None:
    run = stage.run(stage.athlete(), distance_m=5000, ended_minutes_ago=60)
    first = stage.link(stage.athlete())
    stage.work()
    second = stage.link(stage.athlete(8))
    token = access_token(stage.runtime, first)
    found = stage.runtime.strava.run(token, run.id, lane=Lane.NEW_RUN)
    assert isinstance(found, RemoteRun)

    with stage.runtime.db.transaction() as session:
        changed = replace(found, distance_m=1.0)
        store.save(session, second, [changed], now=stage.clock())

    with stage.runtime.db.reading() as session:
        [kept] = session.scalars(select(Run))
    assert (kept.runner_id, kept.distance_m) == (first, 5000)


def test_runs_from_before_linking_are_never_asked_about(stage: Stage) -> None:
    athlete = stage.athlete()
    stage.run(athlete, ended_minutes_ago=60)

    stage.link(athlete)
    stage.work()

    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Decision.reason)).all() == ["before linking"]


def test_tokens_are_sealed_at_rest(stage: Stage) -> None:
    athlete = stage.athlete()

    runner_id = stage.link(athlete)

    with stage.runtime.db.reading() as session:
        kept = session.get_one(Connection, runner_id)
    tokens = stage.world.grants.get(athlete.id)
    assert tokens is not None
    assert tokens.refresh_token.encode() not in kept.refresh_token
    assert stage.runtime.sealer.open(kept.refresh_token) == tokens.refresh_token


def test_a_state_works_once_and_only_in_its_browser(stage: Stage) -> None:
    athlete = stage.athlete()
    url = connect.begin(stage.runtime, browser="mine", consents=ALL_BOXES)
    state = url.rsplit("state=", 1)[1]

    with pytest.raises(StateRefused):
        connect.decline(stage.runtime, state=state, browser="another")
    connect.decline(stage.runtime, state=state, browser="mine")

    with pytest.raises(StateRefused):
        connect.finish(
            stage.runtime,
            state=state,
            browser="mine",
            code=grants.give_code(stage.world, athlete.id, "read,activity:read"),
            scope="read,activity:read",
        )


def test_a_grant_without_the_runs_is_given_back(stage: Stage) -> None:
    athlete = stage.athlete()

    with pytest.raises(ScopeMissing):
        stage.link(athlete, scope="read")

    assert stage.world.grants.get(athlete.id) is None


def test_a_code_works_once(stage: Stage) -> None:
    athlete = stage.athlete()
    code = grants.give_code(stage.world, athlete.id, "read,activity:read")
    url = connect.begin(stage.runtime, browser="b", consents=ALL_BOXES)
    again = connect.begin(stage.runtime, browser="b", consents=ALL_BOXES)

    for address, refused in ((url, False), (again, True)):
        state = address.rsplit("state=", 1)[1]
        arguments = {"state": state, "browser": "b", "code": code}
        if refused:
            with pytest.raises(CodeRefused):
                connect.finish(stage.runtime, scope="read,activity:read", **arguments)
        else:
            connect.finish(stage.runtime, scope="read,activity:read", **arguments)


def test_linking_again_keeps_the_runner_and_every_run(stage: Stage) -> None:
    athlete = stage.athlete()
    stage.run(athlete, ended_minutes_ago=3000)
    first = stage.link(athlete)
    stage.work()

    second = stage.link(athlete)
    stage.work()

    assert first == second
    with stage.runtime.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 1


def test_another_athlete_never_takes_over_a_runner(stage: Stage) -> None:
    runner_id = stage.link(stage.athlete(7))
    stranger = stage.athlete(8)
    url = connect.begin(
        stage.runtime, browser="b", consents=ALL_BOXES, runner_id=runner_id
    )
    code = grants.give_code(stage.world, stranger.id, "read,activity:read")

    with pytest.raises(OtherRunner):
        connect.finish(
            stage.runtime,
            state=url.rsplit("state=", 1)[1],
            browser="b",
            code=code,
            scope="read,activity:read",
        )


def test_a_linked_athlete_never_becomes_a_runner_who_disconnected(stage: Stage) -> None:
    left = stage.link(stage.athlete(7))
    disconnect.disconnect(stage.runtime, left)
    other = stage.link(stage.athlete(8))
    url = connect.begin(stage.runtime, browser="b", consents=ALL_BOXES, runner_id=left)
    code = grants.give_code(stage.world, 8, "read,activity:read")

    with pytest.raises(OtherRunner):
        connect.finish(
            stage.runtime,
            state=url.rsplit("state=", 1)[1],
            browser="b",
            code=code,
            scope="read,activity:read",
        )

    with stage.runtime.db.reading() as session:
        athletes = dict(session.execute(select(Runner.id, Runner.athlete_id)).all())
    assert athletes == {left: None, other: 8}


def test_coming_back_through_a_healthy_link_is_only_signing_in(stage: Stage) -> None:
    athlete = stage.athlete()
    runner_id = stage.link(athlete)
    stage.work()
    with stage.runtime.db.reading() as session:
        before = session.get_one(Connection, runner_id).linked_at
    reads = stage.reads()

    stage.pass_time(hours=2)
    stage.link(athlete)
    stage.work()

    assert stage.reads() == reads
    with stage.runtime.db.reading() as session:
        assert session.get_one(Connection, runner_id).linked_at == before
