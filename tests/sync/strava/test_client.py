"""The way to Strava, tried on a small Strava behind a real socket."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from sync.errors import (
    AccessRevoked,
    AppFull,
    CodeRefused,
    NotConfigured,
    RefusedByStrava,
    ScopeMissing,
)
from sync.simulator.records import App
from sync.simulator.world import World
from sync.strava import SCOPE, Grant, Lane
from sync.strava.client import HttpStrava
from tests.support.clock import NOON
from tests.sync.strava.conftest import ATHLETE, build_strava, give_code


def test_the_consent_page_is_asked_for_what_we_need(strava: HttpStrava) -> None:
    url = strava.consent_url(
        state="s&t", redirect_uri="http://localhost/back", scope=SCOPE, force=True
    )

    assert urlsplit(url).path == "/oauth/authorize"
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["1"],
        "redirect_uri": ["http://localhost/back"],
        "response_type": ["code"],
        "approval_prompt": ["force"],
        "scope": [SCOPE],
        "state": ["s&t"],
    }


def test_a_code_becomes_tokens_that_work(world: World, strava: HttpStrava) -> None:
    grant = strava.exchange(give_code(world))

    left = grant.tokens.expires_at - NOON
    assert grant.athlete_id == ATHLETE.id
    assert timedelta(hours=5) < left <= timedelta(hours=6)
    assert strava.page(grant.tokens.access, lane=Lane.WAITING).size == 0


def test_a_code_serves_once(world: World, strava: HttpStrava) -> None:
    spent = give_code(world)
    strava.exchange(spent)

    for refused in (spent, "never given"):
        with pytest.raises(CodeRefused):
            strava.exchange(refused)


def test_a_wrong_secret_is_our_mistake_and_no_runner_s(
    world: World, site: str, grant: Grant
) -> None:
    strava = build_strava(site, strava_client_secret="wrong")

    for asks in (
        lambda: strava.exchange(give_code(world)),
        lambda: strava.refresh(grant.tokens.refresh),
        lambda: strava.revoke(grant.tokens.access),
        strava.subscriptions,
    ):
        with pytest.raises(NotConfigured) as error:
            asks()
        assert "wrong" not in str(error.value)


def test_without_an_id_nothing_is_asked(site: str) -> None:
    strava = build_strava(site, strava_client_id=None)

    with pytest.raises(NotConfigured, match="MOODMILES_STRAVA_CLIENT_ID"):
        strava.subscriptions()


def test_a_full_app_says_so(world: World, strava: HttpStrava) -> None:
    given = give_code(world)
    with world.transaction():
        world.put_singleton(App(athlete_limit=0))

    with pytest.raises(AppFull):
        strava.exchange(given)


def test_a_refresh_replaces_the_pair(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    with world.transaction():
        world.put_singleton(App(rotate="always"))

    fresh = strava.refresh(grant.tokens.refresh)

    assert fresh.refresh != grant.tokens.refresh
    assert strava.refresh(fresh.refresh).access
    with pytest.raises(AccessRevoked):
        strava.refresh(grant.tokens.refresh)


def test_after_a_revocation_both_tokens_are_dead(
    strava: HttpStrava, grant: Grant
) -> None:
    strava.revoke(grant.tokens.refresh)

    with pytest.raises(AccessRevoked):
        strava.refresh(grant.tokens.refresh)
    with pytest.raises(AccessRevoked):
        strava.page(grant.tokens.access, lane=Lane.RECONCILE)


def test_an_unticked_permission_is_named(world: World, strava: HttpStrava) -> None:
    grant = strava.exchange(give_code(world, "read"))

    with pytest.raises(ScopeMissing):
        strava.page(grant.tokens.access, lane=Lane.WAITING)


def test_a_subscription_needs_a_callback_that_answers(strava: HttpStrava) -> None:
    with pytest.raises(RefusedByStrava, match="callback url") as error:
        strava.subscribe("http://127.0.0.1:9/hooks/strava/hidden", "verify")

    assert "hidden" not in str(error.value)
    assert strava.subscriptions() == []


def test_a_subscription_that_is_not_there_cannot_end(strava: HttpStrava) -> None:
    with pytest.raises(RefusedByStrava):
        strava.unsubscribe(12)
