"""The control API: everything that a test or a script may do to the world, as JSON.

POST   /control/athletes/<id>/runs {distance_m, moving_s, ended_minutes_ago, zone,
           sport_type, trainer, manual, race, athlete_count, visibility,
           start_hidden, silent} -> 201 {id}; every field has a default; `zone` is
           `own`, `daytime` or a name; a `silent` run makes no event
PATCH  /control/activities/<id> {name, distance_m, moving_s, sport_type, visibility}
DELETE /control/activities/<id>
POST   /control/athletes/<id>/deauthorise
POST   /control/athletes/<id>/grant {scope} -> {code}; as if on the consent page
POST   /control/grow {athletes, runs_each, seed} -> {athletes: [ids]}
POST   /control/faults {kind, status, seconds, on, times}; kind is status, html,
           empty, reset or slow; on is any, athlete, list, detail, token, revoke or
           subscription; without `times` it lasts until DELETE /control/faults
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
from sync.simulator.fields import Asked
from sync.simulator.refusals import Mistake
from sync.simulator.world import World

ID = "id:"


class Control:
    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("control", __name__, url_prefix="/control")
        athlete = "/athletes/<int:athlete_id>"
        activity = "/activities/<int:activity_id>"
        for method, path, view in (
            ("POST", f"{athlete}/runs", self.finish),
            ("POST", f"{athlete}/deauthorise", self.deauthorise),
            ("POST", f"{athlete}/grant", self.grant),
            ("PATCH", activity, self.edit),
            ("DELETE", activity, self.delete),
            ("POST", "/grow", self.grow),
            ("POST", "/faults", self.fault),
            ("DELETE", "/faults", self.heal),
            ("POST", "/limits", self.limits),
            ("POST", "/app", self.app),
            ("POST", "/events", self.events),
            ("POST", "/reset-counters", self.reset_counters),
            ("GET", "/state", self.state),
        ):
            blueprint.add_url_rule(path, view_func=view, methods=[method])
        return blueprint

    def finish(self, athlete_id: int) -> ResponseReturnValue:
        run = commands.new_run(_asked())
        with self._world.change():
            athlete = activities.find_athlete(self._world, athlete_id)
            activity = activities.finish(self._world, athlete, run)
        return {"id": activity.id}, 201

    def edit(self, activity_id: int) -> dict[str, Any]:
        change = commands.edit(_asked())
        with self._world.change():
            activity = activities.find_activity(self._world, activity_id)
            return shapes.activity_summary(
                activities.edit(self._world, activity, change)
            )

    def delete(self, activity_id: int) -> ResponseReturnValue:
        with self._world.change():
            activities.delete(
                self._world, activities.find_activity(self._world, activity_id)
            )
        return "", 204

    def deauthorise(self, athlete_id: int) -> ResponseReturnValue:
        with self._world.change():
            athlete = activities.find_athlete(self._world, athlete_id)
            grants.deauthorise(self._world, athlete.id)
        return "", 204

    def grant(self, athlete_id: int) -> dict[str, str]:
        scope = _asked().only("scope").text("scope", "read,activity:read")
        words = scope.replace(",", " ").split()
        if not words or not set(words) <= set(grants.SCOPES):
            raise Mistake(f"scope must be some of {', '.join(grants.SCOPES)}.")
        with self._world.change():
            athlete = activities.find_athlete(self._world, athlete_id)
            code = grants.give_code(self._world, athlete.id, ",".join(words))
        return {"code": code}

    def grow(self) -> ResponseReturnValue:
        asked = _asked().only("athletes", "runs_each", "seed")
        athletes = asked.whole("athletes", 1, least=1, most=10_000)
        runs_each = asked.whole("runs_each", 100, most=10_000)
        number = asked.whole("seed", 1)
        with self._world.change():
            grown = seed.grow(
                self._world, athletes=athletes, runs_each=runs_each, number=number
            )
        return {"athletes": grown}, 201

    def fault(self) -> ResponseReturnValue:
        with self._world.change():
            fault = commands.fault(self._world, _asked())
            self._world.faults.put(fault)
        return asdict(fault), 201

    def heal(self) -> ResponseReturnValue:
        with self._world.change():
            for fault in self._world.faults:
                self._world.faults.remove(fault.id)
        return "", 204

    def limits(self) -> dict[str, Any]:
        with self._world.change():
            self._world.set(commands.limits(self._world.limits, _asked()))
            return asdict(self._world.limits)

    def app(self) -> dict[str, Any]:
        with self._world.change():
            self._world.set(commands.app(self._world.app, _asked()))
            return _public(asdict(self._world.app))

    def events(self) -> dict[str, Any]:
        with self._world.change():
            self._world.set(commands.delivery(self._world.delivery, _asked()))
            return asdict(self._world.delivery)

    def reset_counters(self) -> ResponseReturnValue:
        with self._world.change():
            for name, _ in _counters(self._world):
                self._world.counters.remove(name)
        return "", 204

    def state(self) -> dict[str, Any]:
        world = self._world
        with world.change():
            subscription = world.subscription
            return {
                "counters": dict(_counters(world)),
                "usage": asdict(world.usage),
                "app": _public(asdict(world.app)),
                "limits": asdict(world.limits),
                "delivery": asdict(world.delivery),
                "subscription": subscription and asdict(subscription),
                "athletes": [asdict(athlete) for athlete in world.athletes],
                "grants": {grant.athlete_id: grant.scope for grant in world.grants},
                "activities": [shapes.activity_summary(a) for a in world.activities()],
                "events": [asdict(event) for event in world.events],
            }


def _asked() -> Asked:
    if not request.data:
        return Asked({})
    return Asked(request.get_json(force=True, silent=True))


def _counters(world: World) -> Iterator[tuple[str, int]]:
    counts = (counter for counter in world.counters if not counter.name.startswith(ID))
    return ((counter.name, counter.value) for counter in counts)


def _public(app: dict[str, Any]) -> dict[str, Any]:
    return {
        key: app[key] for key in app if key not in {"client_secret", "signing_secret"}
    }
