"""Who may read whose activities: codes, pairs of tokens, their rotation and end."""

import secrets
from dataclasses import replace
from typing import Any

from sync.simulator import refusals, shapes
from sync.simulator.events import announce
from sync.simulator.records import Access, Athlete, Code, Grant
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
CODE_S = 600
KEPT_PAIR_S = 3600


def give_code(world: World, athlete_id: int, scope: str) -> str:
    """Note the athlete's yes; the app may turn it into tokens once."""
    _refuse_when_full(world, athlete_id)
    code = secrets.token_hex(20)
    expires_s = world.now_s() + CODE_S
    world.codes.put(
        Code(code=code, athlete_id=athlete_id, scope=scope, expires_s=expires_s)
    )
    return code


def exchange(world: World, code: str) -> dict[str, Any]:
    """Turn a code into the first pair of tokens."""
    known = world.codes.get(code)
    if known is None:
        raise refusals.bad_request("RequestToken", "code", "invalid")
    if known.used or known.expires_s <= world.now_s():
        raise refusals.bad_request("AuthorizationCode", "", "expired")
    _refuse_when_full(world, known.athlete_id)
    world.codes.put(replace(known, used=True))
    grant = _new_pair(world, known.athlete_id, known.scope)
    athlete = _athlete(world, known.athlete_id)
    return _pair(world, grant) | {
        "athlete": shapes.athlete_summary(athlete),
        "scope": known.scope.replace(",", " "),
    }


def refresh(world: World, refresh_token: str) -> dict[str, Any]:
    """Hand out the current pair, or a new one that ends the old refresh token."""
    grant = _by_refresh_token(world, refresh_token)
    if grant is None:
        raise refusals.bad_request("RefreshToken", "refresh_token", "invalid")
    left_s = grant.expires_s - world.now_s()
    if world.app.rotate == "always" or left_s <= KEPT_PAIR_S:
        grant = _new_pair(world, grant.athlete_id, grant.scope)
    return _pair(world, grant)


def revoke(world: World, token: str) -> int | None:
    """End the grant that an access or refresh token belongs to, if there is one."""
    access = world.accesses.get(token)
    grant = _by_refresh_token(world, token)
    if access is not None:
        deauthorise(world, access.athlete_id)
        return access.athlete_id
    if grant is not None:
        deauthorise(world, grant.athlete_id)
        return grant.athlete_id
    return None


def deauthorise(world: World, athlete_id: int) -> None:
    """End an athlete's grant: every token dies and the app is told."""
    if world.grants.get(athlete_id) is None:
        return
    world.grants.remove(athlete_id)
    for access in world.accesses:
        if access.athlete_id == athlete_id:
            world.accesses.remove(access.token)
    announce(
        world,
        {
            "aspect_type": "update",
            "object_id": athlete_id,
            "object_type": "athlete",
            "owner_id": athlete_id,
            "updates": {"authorized": "false"},
        },
    )


def access_for(world: World, token: str) -> Access:
    """Say whose token this is, or refuse it as unknown or out of date."""
    access = world.accesses.get(token)
    if access is None or access.expires_s <= world.now_s():
        raise refusals.token_invalid()
    return access


def is_full(world: World, athlete_id: int) -> bool:
    taken = len(world.grants)
    return athlete_id not in world.grants and taken >= world.app.athlete_limit


def _refuse_when_full(world: World, athlete_id: int) -> None:
    if is_full(world, athlete_id):
        raise refusals.full()


def _new_pair(world: World, athlete_id: int, scope: str) -> Grant:
    grant = Grant(
        athlete_id=athlete_id,
        scope=scope,
        access_token=secrets.token_hex(20),
        refresh_token=secrets.token_hex(20),
        expires_s=world.now_s() + world.app.token_s,
    )
    _forget_expired(world, athlete_id)
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


def _forget_expired(world: World, athlete_id: int) -> None:
    for access in world.accesses:
        if access.athlete_id == athlete_id and access.expires_s <= world.now_s():
            world.accesses.remove(access.token)


def _pair(world: World, grant: Grant) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "expires_at": grant.expires_s,
        "expires_in": grant.expires_s - world.now_s(),
        "refresh_token": grant.refresh_token,
        "access_token": grant.access_token,
    }


def _by_refresh_token(world: World, token: str) -> Grant | None:
    return next((one for one in world.grants if one.refresh_token == token), None)


def _athlete(world: World, athlete_id: int) -> Athlete:
    athlete = world.athletes.get(athlete_id)
    if athlete is None:
        raise refusals.bad_request("RequestToken", "code", "invalid")
    return athlete
