"""Strava's API over a world: the athlete, their list and one activity."""

from typing import Any, overload

from flask import Blueprint, request

from sync.simulator import grants, refusals, shapes
from sync.simulator.records import Access, Activity
from sync.simulator.world import World

DEFAULT_PER_PAGE = 30
MAX_PER_PAGE = 200


class SimulatedApi:
    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("api", __name__, url_prefix="/api/v3")
        blueprint.add_url_rule("/athlete", view_func=self.athlete)
        blueprint.add_url_rule("/athlete/activities", view_func=self.activities)
        blueprint.add_url_rule("/activities/<activity_id>", view_func=self.activity)
        return blueprint

    def athlete(self) -> dict[str, Any]:
        with self._world.transaction():
            access = self._require_access()
            athlete = self._world.athletes.get(access.athlete_id)
        if athlete is None:
            raise refusals.invalid_token()
        if "profile:read_all" in access.scopes:
            return shapes.build_athlete_detail(athlete)
        return shapes.build_athlete_summary(athlete)

    def activities(self) -> list[dict[str, Any]]:
        with self._world.transaction():
            access = self._require_activity_access()
            before, after = _parse_integer("before"), _parse_integer("after")
            if after is not None and after > self._world.now_s():
                raise refusals.bad_request("Application", "after", "future")
            activities = [
                activity
                for activity in self._world.list_activities(access.athlete_id)
                if _can_see(access, activity)
                and (before is None or activity.start_s < before)
                and (after is None or activity.start_s > after)
            ]
            max_page_size = self._world.app.page_at_most
        is_newest_first = after is None or before is not None
        activities.sort(
            key=lambda activity: (activity.start_s, activity.id),
            reverse=is_newest_first,
        )
        return [
            shapes.build_activity_summary(activity)
            for activity in _slice_page(activities, max_page_size)
        ]

    def activity(self, activity_id: str) -> dict[str, Any]:
        with self._world.transaction():
            access = self._require_activity_access()
            # An id has at most 64 bits; any other text names no activity.
            is_id = activity_id.isdecimal() and len(activity_id) < 20
            activity = self._world.get_activity(int(activity_id) if is_id else 0)
        if activity is None or not _can_see(access, activity):
            raise refusals.activity_not_found()
        return shapes.build_activity_detail(activity)

    def _require_access(self) -> Access:
        """Return the access of the token in the Authorization header."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise refusals.invalid_token()
        return grants.require_access(self._world, token.strip())

    def _require_activity_access(self) -> Access:
        access = self._require_access()
        if not access.scopes & {"activity:read", "activity:read_all"}:
            raise refusals.missing_scope("activity:read")
        return access


def _can_see(access: Access, activity: Activity) -> bool:
    return activity.athlete_id == access.athlete_id and (
        not activity.is_private or "activity:read_all" in access.scopes
    )


def _slice_page(
    activities: list[Activity], max_page_size: int | None
) -> list[Activity]:
    """Return one page; a page may be short on purpose and still not be the last."""
    per_page, page = (
        _parse_integer("per_page", DEFAULT_PER_PAGE),
        _parse_integer("page", 1),
    )
    if per_page > MAX_PER_PAGE:
        raise refusals.bad_request("Application", "per page", "limit exceeded")
    if per_page < 1 or page < 1:
        raise refusals.bad_request("Application", "page", "invalid")
    size = min(per_page, max_page_size or per_page)
    return activities[(page - 1) * size : page * size]


@overload
def _parse_integer(name: str) -> int | None: ...
@overload
def _parse_integer(name: str, default: int) -> int: ...
def _parse_integer(name: str, default: int | None = None) -> int | None:
    raw = request.args.get(name, "")
    if not raw:
        return default
    try:
        return int(raw)
    except ValueError:
        raise refusals.bad_request("Application", name, "invalid") from None
