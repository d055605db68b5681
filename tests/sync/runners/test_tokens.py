"""Tokens are refreshed once, kept in pairs, and a dead link is said once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select
from typing_extensions import override

from sync.errors import AccessRevoked, StravaUnavailable, TryLater
from sync.models import Connection, Mail
from sync.runners.strava_call import call_strava
from sync.runners.tokens import LEASE, get_access_token
from sync.simulator import grants
from sync.simulator.records import App
from sync.strava import Tokens
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from sync.vocabulary import SealedColumn
from tests.support.harness import Harness

NOWHERE = "http://127.0.0.1:1"


def expire_tokens(harness: Harness) -> None:
    with harness.world.transaction():
        harness.world.put_singleton(
            App(client_id="1", client_secret="simulated", rotate="always")
        )


def test_a_fresh_token_is_used_as_it_is(harness: Harness) -> None:
    runner_id = harness.link_runner(harness.add_athlete())

    token = get_access_token(harness.runtime, runner_id)

    kept = harness.world.accesses.get(token)
    assert kept is not None


def test_an_old_token_is_refreshed_and_both_halves_are_kept(harness: Harness) -> None:
    athlete = harness.add_athlete()
    runner_id = harness.link_runner(athlete)
    first = get_access_token(harness.runtime, runner_id)
    harness.advance_clock(hours=6)

    second = get_access_token(harness.runtime, runner_id)

    grant = harness.world.grants.get(athlete.id)
    assert grant is not None
    with harness.runtime.db.read_only() as session:
        kept = session.get_one(Connection, runner_id)
    assert second != first
    assert (
        harness.runtime.sealer.open(kept.refresh_token, SealedColumn.STRAVA_REFRESH)
        == grant.refresh_token
    )
    assert kept.lease_until is None


def test_many_at_once_never_lose_the_pair(harness: Harness) -> None:
    expire_tokens(harness)
    athlete = harness.add_athlete()
    runner_id = harness.link_runner(athlete)

    def refresh(_: int) -> str:
        try:
            stale = get_access_token(harness.runtime, runner_id)
            return get_access_token(harness.runtime, runner_id, refused=stale)
        except TryLater:
            return ""

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(refresh, range(40)))

    grant = harness.world.grants.get(athlete.id)
    assert grant is not None
    with harness.runtime.db.read_only() as session:
        kept = session.get_one(Connection, runner_id)
    assert (
        harness.runtime.sealer.open(kept.refresh_token, SealedColumn.STRAVA_REFRESH)
        == grant.refresh_token
    )
    assert kept.broken_at is None


class SlowRefreshStrava(HttpStrava):
    """Refreshes so slowly that somebody else, who took over, was there first."""

    meanwhile: Callable[[], object]

    @override
    def refresh(self, refresh_token: str) -> Tokens:
        self.meanwhile()
        return super().refresh(refresh_token)


def test_whoever_was_overtaken_does_not_take_the_link_for_broken(
    harness: Harness,
) -> None:
    expire_tokens(harness)
    runner_id = harness.link_runner(harness.add_athlete())
    stale = get_access_token(harness.runtime, runner_id)
    slow = SlowRefreshStrava(
        harness.runtime.settings, budget=Budget("", clock=harness.clock)
    )

    def somebody_takes_over() -> None:
        harness.advance_clock(seconds=LEASE.total_seconds())
        get_access_token(harness.runtime, runner_id, refused=stale)

    slow.meanwhile = somebody_takes_over
    with pytest.raises(TryLater):
        get_access_token(
            replace(harness.runtime, strava=slow), runner_id, refused=stale
        )

    with harness.runtime.db.read_only() as session:
        assert session.get_one(Connection, runner_id).broken_at is None
        assert session.scalars(select(Mail.kind)).all() == []


def test_nobody_waits_for_whoever_could_not_reach_strava(harness: Harness) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    harness.advance_clock(hours=7)
    nowhere = harness.runtime.settings.model_copy(
        update={"strava_site_url": NOWHERE, "strava_api_url": NOWHERE}
    )
    cut_off = HttpStrava(nowhere, budget=Budget("", clock=harness.clock))

    with pytest.raises(StravaUnavailable):
        get_access_token(replace(harness.runtime, strava=cut_off), runner_id)

    assert harness.world.accesses.get(get_access_token(harness.runtime, runner_id))


def test_a_refused_token_is_replaced_once(harness: Harness) -> None:
    expire_tokens(harness)
    athlete = harness.add_athlete()
    runner_id = harness.link_runner(athlete)
    tried: list[str] = []

    def question(token: str) -> str:
        tried.append(token)
        if len(tried) == 1:
            raise AccessRevoked("no")
        return "yes"

    assert call_strava(harness.runtime, runner_id, question) == "yes"

    assert len(set(tried)) == 2


def test_a_revoked_link_is_marked_and_said_once(harness: Harness) -> None:
    athlete = harness.add_athlete()
    runner_id = harness.link_runner(athlete)
    with harness.world.transaction():
        grants.deauthorise_athlete(harness.world, athlete.id)
    harness.advance_clock(hours=7)

    for _ in range(2):
        with pytest.raises(AccessRevoked):
            get_access_token(harness.runtime, runner_id)

    with harness.runtime.db.read_only() as session:
        assert session.get_one(Connection, runner_id).broken_at is not None
        [mail] = session.scalars(select(Mail))
    assert mail.kind == "reconnect"
    assert mail.due_at == harness.clock() < mail.stale_at
