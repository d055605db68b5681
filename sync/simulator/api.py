"""Strava's API over a world: the athlete, their list and one activity."""

from typing import Any, overload

from flask import Blueprint, request

from sync.simulator import grants, refusals, shapes
from sync.simulator.records import Access, Activity
from sync.simulator.world import World

PER_PAGE = 30
PER_PAGE_AT_MOST = 200


class Api:
    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("api", __name__, url_prefix="/api/v3")
        blueprint.add_url_rule("/athlete", view_func=self.athlete)
        blueprint.add_url_rule("/athlete/activities", view_func=self.activities)
        blueprint.add_url_rule("/activities/<activity_id>", view_func=self.activity)
        return blueprint

    def athlete(self) -> dict[str, Any]:
        with self._world.change():
            access = self._access()
            athlete = self._world.athletes.get(access.athlete_id)
        if athlete is None:
            raise refusals.token_invalid()
        if "profile:read_all" in access.scopes:
            return shapes.athlete_detail(athlete)
        return shapes.athlete_summary(athlete)

    def activities(self) -> list[dict[str, Any]]:
        with self._world.change():
            access = self._access_to_activities()
            before, after = _whole("before"), _whole("after")
            if after is not None and after > self._world.now_s():
                raise refusals.bad_request("Application", "after", "future")
            found = [
                activity
                for activity in self._world.activities_of(access.athlete_id)
                if _may_see(access, activity)
                and (before is None or activity.start_s < before)
                and (after is None or activity.start_s > after)
            ]
            most = self._world.app.page_at_most
        newest_first = after is None or before is not None
        found.sort(key=lambda one: (one.start_s, one.id), reverse=newest_first)
        return [shapes.activity_summary(one) for one in _page(found, most)]

    def activity(self, activity_id: str) -> dict[str, Any]:
        with self._world.change():
            access = self._access_to_activities()
            activity = self._world.activity(_id(activity_id))
        if activity is None or not _may_see(access, activity):
            raise refusals.activity_not_found()
        return shapes.activity_detail(activity)

    def _access(self) -> Access:
        """Say whose token the Authorization header holds; nowhere else counts."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise refusals.token_invalid()
        return grants.access_for(self._world, token.strip())

    def _access_to_activities(self) -> Access:
        access = self._access()
        if not access.scopes & {"activity:read", "activity:read_all"}:
            raise refusals.scope_missing("activity:read")
        return access


def _id(text: str) -> int:
    """Read an id of at most 64 bits; anything else is nobody's."""
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def _may_see(access: Access, activity: Activity) -> bool:
    return activity.athlete_id == access.athlete_id and (
        not activity.is_private or "activity:read_all" in access.scopes
    )


def _page(found: list[Activity], at_most: int | None) -> list[Activity]:
    """Cut one page; pages may be short on purpose, and more follow all the same."""
    per_page, page = _whole("per_page", PER_PAGE), _whole("page", 1)
    if per_page > PER_PAGE_AT_MOST:
        raise refusals.bad_request("Application", "per page", "limit exceeded")
    if per_page < 1 or page < 1:
        raise refusals.bad_request("Application", "page", "invalid")
    size = min(per_page, at_most or per_page)
    return found[(page - 1) * size : page * size]


@overload
def _whole(name: str) -> int | None: ...
@overload
def _whole(name: str, default: int) -> int: ...
def _whole(name: str, default: int | None = None) -> int | None:
    given = request.args.get(name, "")
    if not given:
        return default
    try:
        return int(given)
    except ValueError:
        raise refusals.bad_request("Application", name, "invalid") from None
