"""Tokens are refreshed once, kept in pairs, and a dead link is said once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from sync.errors import AccessRevoked, TryLater
from sync.models import Connection, Mail
from sync.runners.strava_call import ask
from sync.runners.tokens import access_token
from sync.simulator import grants
from sync.simulator.records import App
from tests.stage import Stage


def refuse_old_tokens(stage: Stage) -> None:
    with stage.world.change():
        stage.world.set(App(client_id="1", client_secret="simulated", rotate="always"))


def test_a_fresh_token_is_used_as_it_is(stage: Stage) -> None:
    runner_id = stage.link(stage.athlete())

    token = access_token(stage.runtime, runner_id)

    kept = stage.world.accesses.get(token)
    assert kept is not None


def test_an_old_token_is_refreshed_and_both_halves_are_kept(stage: Stage) -> None:
    athlete = stage.athlete()
    runner_id = stage.link(athlete)
    first = access_token(stage.runtime, runner_id)
    stage.pass_time(hours=6)

    second = access_token(stage.runtime, runner_id)

    grant = stage.world.grants.get(athlete.id)
    assert grant is not None
    with stage.runtime.db.reading() as session:
        kept = session.get_one(Connection, runner_id)
    assert second != first
    assert stage.runtime.sealer.open(kept.refresh_token) == grant.refresh_token
    assert kept.lease_until is None


def test_many_at_once_never_lose_the_pair(stage: Stage) -> None:
    refuse_old_tokens(stage)
    athlete = stage.athlete()
    runner_id = stage.link(athlete)

    def refresh(_: int) -> str:
        try:
            stale = access_token(stage.runtime, runner_id)
            return access_token(stage.runtime, runner_id, refused=stale)
        except TryLater:
            return ""

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(refresh, range(40)))

    grant = stage.world.grants.get(athlete.id)
    assert grant is not None
    with stage.runtime.db.reading() as session:
        kept = session.get_one(Connection, runner_id)
    assert stage.runtime.sealer.open(kept.refresh_token) == grant.refresh_token
    assert kept.broken_at is None


def test_a_refused_token_is_replaced_once(stage: Stage) -> None:
    refuse_old_tokens(stage)
    athlete = stage.athlete()
    runner_id = stage.link(athlete)
    tried: list[str] = []

    def question(token: str) -> str:
        tried.append(token)
        if len(tried) == 1:
            raise AccessRevoked("no")
        return "yes"

    assert ask(stage.runtime, runner_id, question) == "yes"

    assert len(set(tried)) == 2


def test_a_revoked_link_is_marked_and_said_once(stage: Stage) -> None:
    athlete = stage.athlete()
    runner_id = stage.link(athlete)
    with stage.world.change():
        grants.deauthorise(stage.world, athlete.id)
    stage.pass_time(hours=7)

    for _ in range(2):
        with pytest.raises(AccessRevoked):
            access_token(stage.runtime, runner_id)

    with stage.runtime.db.reading() as session:
        assert session.get_one(Connection, runner_id).broken_at is not None
        assert session.scalars(select(Mail.kind)).all() == ["reconnect"]
