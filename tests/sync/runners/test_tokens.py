"""Tokens are refreshed once, kept in pairs, and a dead link is said once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select
from typing_extensions import override

from sync.errors import AccessRevoked, StravaUnavailable, TryLater
from sync.models import Connection, Mail
from sync.runners.strava_call import ask
from sync.runners.tokens import LEASE, access_token
from sync.simulator import grants
from sync.simulator.records import App
from sync.strava import Tokens
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Stage

NOWHERE = "http://127.0.0.1:1"


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


class Slow(HttpStrava):
    """Refreshes so slowly that somebody else, who took over, was there first."""

    meanwhile: Callable[[], object]

    @override
    def refresh(self, refresh_token: str) -> Tokens:
        self.meanwhile()
        return super().refresh(refresh_token)


def test_whoever_was_overtaken_does_not_take_the_link_for_broken(stage: Stage) -> None:
    refuse_old_tokens(stage)
    runner_id = stage.link(stage.athlete())
    stale = access_token(stage.runtime, runner_id)
    slow = Slow(stage.runtime.settings, budget=Budget("", clock=stage.clock))

    def somebody_takes_over() -> None:
        stage.pass_time(seconds=LEASE.total_seconds())
        access_token(stage.runtime, runner_id, refused=stale)

    slow.meanwhile = somebody_takes_over
    with pytest.raises(TryLater):
        access_token(replace(stage.runtime, strava=slow), runner_id, refused=stale)

    with stage.runtime.db.reading() as session:
        assert session.get_one(Connection, runner_id).broken_at is None
        assert session.scalars(select(Mail.kind)).all() == []


def test_nobody_waits_for_whoever_could_not_reach_strava(stage: Stage) -> None:
    runner_id = stage.link(stage.athlete())
    stage.pass_time(hours=7)
    nowhere = stage.runtime.settings.model_copy(
        update={"strava_site_url": NOWHERE, "strava_api_url": NOWHERE}
    )
    cut_off = HttpStrava(nowhere, budget=Budget("", clock=stage.clock))

    with pytest.raises(StravaUnavailable):
        access_token(replace(stage.runtime, strava=cut_off), runner_id)

    assert stage.world.accesses.get(access_token(stage.runtime, runner_id))


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
        [mail] = session.scalars(select(Mail))
    assert mail.kind == "reconnect"
    assert mail.due_at == stage.clock() < mail.stale_at
