"""Linking a runner and importing their past."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from sync.errors import CodeRefused, RunnerMismatch, ScopeMissing, StateRefused
from sync.models import Backfill, Connection, Decision, Run, Runner
from sync.runners import connect, disconnect, sign_in
from sync.runners.rules import may_read_private, may_read_runs
from sync.runners.tokens import get_access_token
from sync.runs import store
from sync.simulator import grants
from sync.strava import Lane, RemoteRun
from sync.vocabulary import SealedColumn
from tests.support.harness import ALL_CONSENTS, Harness


def test_a_linked_runner_has_all_their_runs_and_nothing_else(harness: Harness) -> None:
    athlete = harness.add_athlete()
    for days_ago in range(1, 6):
        harness.finish_run(athlete, distance_m=5000, ended_minutes_ago=days_ago * 1440)
    harness.finish_run(athlete, sport_type="Ride", ended_minutes_ago=9000)

    runner_id = harness.link_runner(athlete)
    harness.process_all_due()

    with harness.runtime.db.read_only() as session:
        total = session.scalar(select(func.sum(Run.distance_m)))
        backfill = session.get_one(Backfill, runner_id)
    assert total == 25_000
    assert backfill.activities_seen == 6
    assert backfill.finished_at is not None


def test_the_same_run_is_each_runners_own(harness: Harness) -> None:
    run = harness.finish_run(
        harness.add_athlete(), distance_m=5000, ended_minutes_ago=60
    )
    first = harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    second = harness.link_runner(harness.add_athlete(8))
    token = get_access_token(harness.runtime, first)
    found = harness.runtime.strava.run(token, run.id, lane=Lane.NEW_RUN)
    assert isinstance(found, RemoteRun)

    with harness.runtime.db.transaction() as session:
        changed = replace(found, distance_m=1.0)
        store.upsert_runs(
            session, harness.runtime.sealer, second, [changed], now=harness.clock()
        )

    with harness.runtime.db.read_only() as session:
        runs = session.scalars(select(Run)).all()
    assert {run.runner_id: run.distance_m for run in runs} == {first: 5000, second: 1}


def test_runs_from_before_linking_are_never_asked_about(harness: Harness) -> None:
    athlete = harness.add_athlete()
    harness.finish_run(athlete, ended_minutes_ago=60)

    harness.link_runner(athlete)
    harness.process_all_due()

    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Decision.reason)).all() == ["before linking"]


def test_tokens_are_sealed_at_rest(harness: Harness) -> None:
    athlete = harness.add_athlete()

    runner_id = harness.link_runner(athlete)

    with harness.runtime.db.read_only() as session:
        kept = session.get_one(Connection, runner_id)
    tokens = harness.world.grants.get(athlete.id)
    assert tokens is not None
    assert tokens.refresh_token.encode() not in kept.refresh_token
    assert (
        harness.runtime.sealer.open(kept.refresh_token, SealedColumn.STRAVA_REFRESH)
        == tokens.refresh_token
    )


def test_a_state_works_once_and_only_in_its_browser(harness: Harness) -> None:
    athlete = harness.add_athlete()
    url = connect.begin_link(
        harness.runtime, browser="mine", given_consents=ALL_CONSENTS
    )
    state = url.rsplit("state=", 1)[1]

    with pytest.raises(StateRefused):
        connect.decline_link(harness.runtime, state=state, browser="another")
    connect.decline_link(harness.runtime, state=state, browser="mine")

    with pytest.raises(StateRefused):
        connect.finish_link(
            harness.runtime,
            state=state,
            browser="mine",
            code=grants.issue_code(harness.world, athlete.id, "read,activity:read"),
            scope="read,activity:read",
        )


def test_a_grant_without_the_runs_is_given_back(harness: Harness) -> None:
    athlete = harness.add_athlete()

    with pytest.raises(ScopeMissing):
        harness.link_runner(athlete, scope="read")

    assert harness.world.grants.get(athlete.id) is None


def test_a_code_works_once(harness: Harness) -> None:
    athlete = harness.add_athlete()
    code = grants.issue_code(harness.world, athlete.id, "read,activity:read")
    url = connect.begin_link(harness.runtime, browser="b", given_consents=ALL_CONSENTS)
    again = connect.begin_link(
        harness.runtime, browser="b", given_consents=ALL_CONSENTS
    )

    for address, refused in ((url, False), (again, True)):
        state = address.rsplit("state=", 1)[1]
        arguments = {"state": state, "browser": "b", "code": code}
        if refused:
            with pytest.raises(CodeRefused):
                connect.finish_link(
                    harness.runtime, scope="read,activity:read", **arguments
                )
        else:
            connect.finish_link(
                harness.runtime, scope="read,activity:read", **arguments
            )


def test_linking_again_keeps_the_runner_and_every_run(harness: Harness) -> None:
    athlete = harness.add_athlete()
    harness.finish_run(athlete, ended_minutes_ago=3000)
    first = harness.link_runner(athlete)
    harness.process_all_due()

    second = harness.link_runner(athlete)
    harness.process_all_due()

    assert first == second
    with harness.runtime.db.read_only() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 1


def test_another_athlete_never_takes_over_a_runner(harness: Harness) -> None:
    runner_id = harness.link_runner(harness.add_athlete(7))
    other_browser = harness.add_athlete(8)
    token = sign_in.sign_in(harness.runtime, runner_id)
    url = connect.begin_link(
        harness.runtime, browser="b", given_consents=ALL_CONSENTS, sign_in_token=token
    )
    code = grants.issue_code(harness.world, other_browser.id, "read,activity:read")

    with pytest.raises(RunnerMismatch):
        connect.finish_link(
            harness.runtime,
            state=url.rsplit("state=", 1)[1],
            browser="b",
            code=code,
            scope="read,activity:read",
            sign_in_token=token,
        )


def test_a_linked_athlete_never_becomes_a_runner_who_disconnected(
    harness: Harness,
) -> None:
    left = harness.link_runner(harness.add_athlete(7))
    disconnect.disconnect(harness.runtime, left)
    other = harness.link_runner(harness.add_athlete(8))
    token = sign_in.sign_in(harness.runtime, left)
    url = connect.begin_link(
        harness.runtime, browser="b", given_consents=ALL_CONSENTS, sign_in_token=token
    )
    code = grants.issue_code(harness.world, 8, "read,activity:read")

    with pytest.raises(RunnerMismatch):
        connect.finish_link(
            harness.runtime,
            state=url.rsplit("state=", 1)[1],
            browser="b",
            code=code,
            scope="read,activity:read",
            sign_in_token=token,
        )

    with harness.runtime.db.read_only() as session:
        athletes = dict(session.execute(select(Runner.id, Runner.athlete_id)).all())
    assert athletes == {left: None, other: 8}


def test_coming_back_through_a_healthy_link_is_only_signing_in(
    harness: Harness,
) -> None:
    athlete = harness.add_athlete()
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    with harness.runtime.db.read_only() as session:
        before = session.get_one(Connection, runner_id).linked_at
    reads = harness.count_strava_reads()

    harness.advance_clock(hours=2)
    harness.link_runner(athlete)
    harness.process_all_due()

    assert harness.count_strava_reads() == reads
    with harness.runtime.db.read_only() as session:
        assert session.get_one(Connection, runner_id).linked_at == before


@pytest.mark.parametrize(
    ("scope", "runs", "private_runs"),
    [
        ("read,activity:read_all", True, True),
        ("read activity:read activity:read_all", True, True),
        ("read,read_all,activity:read", True, False),
        ("read_all", False, False),
        ("profile:read_all,activity:read", True, False),
        ("activity:read_all_else", False, False),
        ("", False, False),
    ],
)
def test_scopes_are_compared_as_words(
    scope: str, runs: bool, private_runs: bool
) -> None:
    assert (may_read_runs(scope), may_read_private(scope)) == (runs, private_runs)
