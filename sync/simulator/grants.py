"""OAuth grants: codes, pairs of tokens, their rotation and revocation."""

import secrets
from dataclasses import replace
from typing import Any

from sync.simulator import refusals, shapes
from sync.simulator.events import enqueue_event
from sync.simulator.records import Access, AthleteGrant, Code
from sync.simulator.world import World

SCOPES = {
    "read": "See your public profile",
    "read_all": "See your private routes and segments",
    "profile:read_all": "See your whole profile",
    "profile:write": "Change your weight and starred segments",
    "activity:read": "See your activities, but not those that only you can see",
    "activity:read_all": "See all your activities, also those that only you can see",
    "activity:write": "Create and change activities",
}
CODE_LIFETIME_S = 600
REFRESH_WINDOW_S = 3600


def issue_code(world: World, athlete_id: int, scope: str) -> str:
    """Store the athlete's consent; the app may exchange the code for tokens once."""
    _require_free_place(world, athlete_id)
    code = secrets.token_hex(20)
    expires_s = world.now_s() + CODE_LIFETIME_S
    world.codes.put(
        Code(code=code, athlete_id=athlete_id, scope=scope, expires_s=expires_s)
    )
    return code


def exchange_code(world: World, code: str) -> dict[str, Any]:
    """Exchange a code for the first pair of tokens."""
    issued = world.codes.get(code)
    if issued is None:
        raise refusals.bad_request("RequestToken", "code", "invalid")
    if issued.used or issued.expires_s <= world.now_s():
        raise refusals.bad_request("AuthorizationCode", "", "expired")
    _require_free_place(world, issued.athlete_id)
    world.codes.put(replace(issued, used=True))
    grant = _issue_tokens(world, issued.athlete_id, issued.scope)
    athlete = world.athletes.get(issued.athlete_id)
    if athlete is None:
        raise refusals.bad_request("RequestToken", "code", "invalid")
    return _build_token_response(world, grant) | {
        "athlete": shapes.build_athlete_summary(athlete),
        "scope": issued.scope.replace(",", " "),
    }


def refresh_tokens(world: World, refresh_token: str) -> dict[str, Any]:
    """Return the current pair, or a new one that ends the old refresh token."""
    grant = _find_by_refresh_token(world, refresh_token)
    if grant is None:
        raise refusals.bad_request("RefreshToken", "refresh_token", "invalid")
    remaining_s = grant.expires_s - world.now_s()
    if world.app.rotate == "always" or remaining_s <= REFRESH_WINDOW_S:
        grant = _issue_tokens(world, grant.athlete_id, grant.scope)
    return _build_token_response(world, grant)


def revoke_token(world: World, token: str) -> int | None:
    """End the grant of an access or refresh token; return its athlete, if any."""
    access = world.accesses.get(token)
    grant = _find_by_refresh_token(world, token)
    if access is not None:
        deauthorise_athlete(world, access.athlete_id)
        return access.athlete_id
    if grant is not None:
        deauthorise_athlete(world, grant.athlete_id)
        return grant.athlete_id
    return None


def deauthorise_athlete(world: World, athlete_id: int) -> None:
    """End an athlete's grant: every token dies and the app is told."""
    if world.grants.get(athlete_id) is None:
        return
    world.grants.remove(athlete_id)
    for access in world.accesses:
        if access.athlete_id == athlete_id:
            world.accesses.remove(access.token)
    enqueue_event(
        world,
        {
            "aspect_type": "update",
            "object_id": athlete_id,
            "object_type": "athlete",
            "owner_id": athlete_id,
            "updates": {"authorized": "false"},
        },
    )


def require_access(world: World, token: str) -> Access:
    """Return the access of a token; refuse an unknown or expired one."""
    access = world.accesses.get(token)
    if access is None or access.expires_s <= world.now_s():
        raise refusals.invalid_token()
    return access


def is_athlete_limit_reached(world: World, athlete_id: int) -> bool:
    grant_count = len(world.grants)
    return athlete_id not in world.grants and grant_count >= world.app.athlete_limit


def _require_free_place(world: World, athlete_id: int) -> None:
    if is_athlete_limit_reached(world, athlete_id):
        raise refusals.athlete_limit_exceeded()


def _issue_tokens(world: World, athlete_id: int, scope: str) -> AthleteGrant:
    grant = AthleteGrant(
        athlete_id=athlete_id,
        scope=scope,
        access_token=secrets.token_hex(20),
        refresh_token=secrets.token_hex(20),
        expires_s=world.now_s() + world.app.token_s,
    )
    for access in world.accesses:
        if access.athlete_id == athlete_id and access.expires_s <= world.now_s():
            world.accesses.remove(access.token)
    world.grants.put(grant)
    world.accesses.put(
        Access(
            token=grant.access_token,
            athlete_id=athlete_id,
            scope=scope,
            expires_s=grant.expires_s,
        )
    )
    return grant


def _build_token_response(world: World, grant: AthleteGrant) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "expires_at": grant.expires_s,
        "expires_in": grant.expires_s - world.now_s(),
        "refresh_token": grant.refresh_token,
        "access_token": grant.access_token,
    }


def _find_by_refresh_token(world: World, token: str) -> AthleteGrant | None:
    return next((grant for grant in world.grants if grant.refresh_token == token), None)
