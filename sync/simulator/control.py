"""The control API: everything that a test or a script may do to the world, as JSON.

POST   /control/athletes/<id>/runs {distance_m, moving_s, ended_minutes_ago, zone,
           sport_type, trainer, manual, race, athlete_count, visibility,
           start_hidden, silent} -> 201 {id}; every field has a default; zone is
           own, daytime or a name; a silent run makes no event
PATCH  /control/activities/<id> {name, distance_m, moving_s, sport_type, visibility}
DELETE /control/activities/<id>
POST   /control/athletes/<id>/deauthorise
POST   /control/athletes/<id>/grant {scope} -> {code}; as if on the consent page
POST   /control/grow {athletes, runs_each, seed} -> {athletes: [ids]}
POST   /control/faults {kind, status, seconds, on, times}; kind is status, html,
           empty, reset or slow; on is any, athlete, list, detail, token, revoke or
           subscription; without times it lasts until DELETE /control/faults
POST   /control/limits {quarter, day, read_quarter, read_day, quarter_s}
POST   /control/app {athlete_limit, inactive, rotate, token_s, page_at_most,
           signing_secret, callback_domain}; 0 and "" switch the optional ones off
POST   /control/events {drop, double, reorder, delay_s, retry_gap_s}
POST   /control/reset-counters
GET    /control/state -> {counters, usage, app, limits, delivery, subscription,
           athletes, grants, activities, events}; the activities as Strava lists them

A mistake is answered with 400 and {error: sentence}, an unknown id with 404.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sync.simulator import activities, commands, grants, seed, shapes
from sync.simulator.fields import RequestFields
from sync.simulator.refusals import InvalidCommand
from sync.simulator.world import World

ID_COUNTER_PREFIX = "id:"


class ControlApi:
    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("control", __name__, url_prefix="/control")
        athlete = "/athletes/<int:athlete_id>"
        activity = "/activities/<int:activity_id>"
        for method, path, view in (
            ("POST", f"{athlete}/runs", self.upload_run),
            ("POST", f"{athlete}/deauthorise", self.deauthorise_athlete),
            ("POST", f"{athlete}/grant", self.issue_code),
            ("PATCH", activity, self.edit_activity),
            ("DELETE", activity, self.delete_activity),
            ("POST", "/grow", self.add_athletes),
            ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("POST", "/limits", self.update_limits),
            ("POST", "/app", self.update_app),
            ("POST", "/events", self.update_delivery),
            ("POST", "/reset-counters", self.reset_counters),
            ("GET", "/state", self.show_state),
        ):
            blueprint.add_url_rule(path, view_func=view, methods=[method])
        return blueprint

    def upload_run(self, athlete_id: int) -> ResponseReturnValue:
        upload = commands.parse_run(_read_fields())
        with self._world.transaction():
            athlete = activities.require_athlete(self._world, athlete_id)
            activity = activities.upload_run(self._world, athlete, upload)
        return {"id": activity.id}, 201

    def edit_activity(self, activity_id: int) -> dict[str, Any]:
        change = commands.parse_edit(_read_fields())
        with self._world.transaction():
            activity = activities.require_activity(self._world, activity_id)
            return shapes.build_activity_summary(
                activities.edit_activity(self._world, activity, change)
            )

    def delete_activity(self, activity_id: int) -> ResponseReturnValue:
        with self._world.transaction():
            activities.delete_activity(
                self._world, activities.require_activity(self._world, activity_id)
            )
        return "", 204

    def deauthorise_athlete(self, athlete_id: int) -> ResponseReturnValue:
        with self._world.transaction():
            athlete = activities.require_athlete(self._world, athlete_id)
            grants.deauthorise_athlete(self._world, athlete.id)
        return "", 204

    def issue_code(self, athlete_id: int) -> dict[str, str]:
        scope = _read_fields().allow_only("scope").text("scope", "read,activity:read")
        scopes = scope.replace(",", " ").split()
        if not scopes or not set(scopes) <= set(grants.SCOPES):
            raise InvalidCommand(f"scope must be some of {', '.join(grants.SCOPES)}.")
        with self._world.transaction():
            athlete = activities.require_athlete(self._world, athlete_id)
            code = grants.issue_code(self._world, athlete.id, ",".join(scopes))
        return {"code": code}

    def add_athletes(self) -> ResponseReturnValue:
        fields = _read_fields().allow_only("athletes", "runs_each", "seed")
        athletes = fields.integer("athletes", 1, minimum=1, maximum=10_000)
        runs_each = fields.integer("runs_each", 100, maximum=10_000)
        seed_number = fields.integer("seed", 1)
        with self._world.transaction():
            athlete_ids = seed.add_athletes(
                self._world,
                count=athletes,
                runs_each=runs_each,
                seed_number=seed_number,
            )
        return {"athletes": athlete_ids}, 201

    def add_fault(self) -> ResponseReturnValue:
        with self._world.transaction():
            fault = commands.parse_fault(self._world, _read_fields())
            self._world.faults.put(fault)
        return asdict(fault), 201

    def clear_faults(self) -> ResponseReturnValue:
        with self._world.transaction():
            for fault in self._world.faults:
                self._world.faults.remove(fault.id)
        return "", 204

    def update_limits(self) -> dict[str, Any]:
        with self._world.transaction():
            self._world.put_singleton(
                commands.parse_limits(self._world.limits, _read_fields())
            )
            return asdict(self._world.limits)

    def update_app(self) -> dict[str, Any]:
        with self._world.transaction():
            self._world.put_singleton(
                commands.parse_app(self._world.app, _read_fields())
            )
            return _without_secrets(asdict(self._world.app))

    def update_delivery(self) -> dict[str, Any]:
        with self._world.transaction():
            self._world.put_singleton(
                commands.parse_delivery(self._world.delivery, _read_fields())
            )
            return asdict(self._world.delivery)

    def reset_counters(self) -> ResponseReturnValue:
        with self._world.transaction():
            for name, _ in _list_counters(self._world):
                self._world.counters.remove(name)
        return "", 204

    def show_state(self) -> dict[str, Any]:
        world = self._world
        with world.transaction():
            subscription = world.subscription
            return {
                "counters": dict(_list_counters(world)),
                "usage": asdict(world.usage),
                "app": _without_secrets(asdict(world.app)),
                "limits": asdict(world.limits),
                "delivery": asdict(world.delivery),
                "subscription": subscription and asdict(subscription),
                "athletes": [asdict(athlete) for athlete in world.athletes],
                "grants": {grant.athlete_id: grant.scope for grant in world.grants},
                "activities": [
                    shapes.build_activity_summary(activity)
                    for activity in world.iter_activities()
                ],
                "events": [asdict(event) for event in world.events],
            }


def _read_fields() -> RequestFields:
    if not request.data:
        return RequestFields({})
    return RequestFields(request.get_json(force=True, silent=True))


def _list_counters(world: World) -> Iterator[tuple[str, int]]:
    counts = (
        counter
        for counter in world.counters
        if not counter.name.startswith(ID_COUNTER_PREFIX)
    )
    return ((counter.name, counter.value) for counter in counts)


def _without_secrets(app: dict[str, Any]) -> dict[str, Any]:
    return {
        key: app[key] for key in app if key not in {"client_secret", "signing_secret"}
    }
