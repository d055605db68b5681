"""The control page: the same verbs as the control API, for people with a browser."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sync.simulator import activities as life
from sync.simulator import commands, faults, grants, limits
from sync.simulator.fields import Asked
from sync.simulator.records import Activity, Athlete, Single
from sync.simulator.refusals import Mistake, NotHere
from sync.simulator.world import World

SHOWN_ATHLETES = 12
SHOWN_ACTIVITIES = 10
SHOWN_EVENTS = 20
CROP = 0.9


class Pages:
    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("pages", __name__)
        athlete = "/page/athletes/<int:athlete_id>"
        for path, view in (
            (f"{athlete}/runs", self.finish),
            (f"{athlete}/deauthorise", self.deauthorise),
            ("/page/activities/<int:activity_id>/<verb>", self.change),
            ("/page/faults", self.fault),
            ("/page/settings", self.settings),
        ):
            blueprint.add_url_rule(path, view_func=view, methods=["POST"])
        blueprint.add_url_rule("/", view_func=self.show)
        blueprint.add_url_rule("/activities/<int:activity_id>", view_func=self.activity)
        blueprint.register_error_handler(Mistake, _explain)
        return blueprint

    def show(self) -> str:
        world = self._world
        with world.change():
            athletes = sorted(world.athletes, key=lambda one: one.id)
            subscription = world.subscription
            usage = limits.current(world.usage, world.limits, world.now_s())
            return render_template(
                "control.html",
                cards=[self._card(one) for one in athletes[:SHOWN_ATHLETES]],
                more=max(len(athletes) - SHOWN_ATHLETES, 0),
                app_url=subscription and _origin(subscription.callback_url),
                zones=life.ZONES,
                sports=commands.SPORTS,
                fault_kinds=faults.KINDS,
                calls=faults.CALLS,
                faults=list(world.faults),
                app=world.app,
                limits=world.limits,
                usage=usage,
                delivery=world.delivery,
                events=list(world.events)[: -SHOWN_EVENTS - 1 : -1],
            )

    def activity(self, activity_id: int) -> str:
        """Show one activity, where a "View on Strava" link leads."""
        with self._world.change():
            activity = life.find_activity(self._world, activity_id)
            athlete = life.find_athlete(self._world, activity.athlete_id)
        return render_template("alone.html", row=_row(activity), athlete=athlete)

    def finish(self, athlete_id: int) -> ResponseReturnValue:
        """Finish a run; people think in kilometres and minutes."""
        form = Asked(request.form)
        run = commands.new_run(
            Asked(
                {
                    "distance_m": 1000 * form.number("kilometres", 5, most=500),
                    "moving_s": round(60 * form.number("minutes", 30, most=2880)),
                    "ended_minutes_ago": form.number("ended", 30, most=100_000),
                    "zone": form.zone("zone", "daytime"),
                    "trainer": form.flag("trainer"),
                    "race": form.flag("race"),
                }
            )
        )
        with self._world.change():
            athlete = life.find_athlete(self._world, athlete_id)
            life.finish(self._world, athlete, run)
        return _back(f"athlete-{athlete_id}")

    def change(self, activity_id: int, verb: str) -> ResponseReturnValue:
        with self._world.change():
            activity = life.find_activity(self._world, activity_id)
            if verb == "delete":
                life.delete(self._world, activity)
            else:
                wish = Asked(_edit(verb, activity, Asked(request.form)))
                life.edit(self._world, activity, commands.edit(wish))
        return _back(f"athlete-{activity.athlete_id}")

    def deauthorise(self, athlete_id: int) -> ResponseReturnValue:
        with self._world.change():
            athlete = life.find_athlete(self._world, athlete_id)
            grants.deauthorise(self._world, athlete.id)
        return _back(f"athlete-{athlete_id}")

    def fault(self) -> ResponseReturnValue:
        """Make something go wrong, or let everything be well again."""
        wish = {key: value for key, value in request.form.items() if value}
        with self._world.change():
            if wish.pop("heal", None):
                for fault in self._world.faults:
                    self._world.faults.remove(fault.id)
            else:
                self._world.faults.put(commands.fault(self._world, Asked(wish)))
        return _back("faults")

    def settings(self) -> ResponseReturnValue:
        """Adjust the limits, the delivery and the app, in one form."""
        world = self._world
        form = {**request.form, "inactive": request.form.get("inactive", "no")}
        with world.change():
            world.set(commands.limits(world.limits, _about(world.limits, form)))
            world.set(commands.delivery(world.delivery, _about(world.delivery, form)))
            world.set(commands.app(world.app, _about(world.app, form)))
        return _back("settings")

    def _card(self, athlete: Athlete) -> dict[str, Any]:
        activities = self._world.activities_of(athlete.id)
        activities.sort(key=lambda one: one.start_s, reverse=True)
        grant = self._world.grants.get(athlete.id)
        return {
            "athlete": athlete,
            "scope": grant and grant.scope.replace(",", ", "),
            "count": len(activities),
            "activities": [_row(one) for one in activities[:SHOWN_ACTIVITIES]],
        }


def _about(settings: Single, form: dict[str, str]) -> Asked:
    """Pick the fields of one form that belong to these settings."""
    return Asked({name: form[name] for name in vars(settings) if name in form})


def _row(activity: Activity) -> dict[str, Any]:
    started = datetime.fromtimestamp(activity.start_s, UTC)
    local = started.astimezone(ZoneInfo(activity.zone))
    minutes, seconds = divmod(activity.moving_s, 60)
    return {
        "activity": activity,
        "when": f"{local:%a} {local.day} {local:%b %Y, %H:%M}",
        "kilometres": f"{activity.distance_m / 1000:.2f}",
        "time": f"{minutes}:{seconds:02}",
    }


def _edit(verb: str, activity: Activity, form: Asked) -> dict[str, object]:
    match verb:
        case "rename":
            return {"name": form.text("name")}
        case "crop":
            return {
                "distance_m": activity.distance_m * CROP,
                "moving_s": int(activity.moving_s * CROP),
            }
        case "hide":
            return {"visibility": "only_me"}
        case "show":
            return {"visibility": "everyone"}
        case "retype":
            return {"sport_type": form.choice("sport_type", commands.SPORTS, "Run")}
        case _:
            raise Mistake(f"{verb!r} is nothing that can be done to an activity.")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _back(place: str) -> ResponseReturnValue:
    return redirect(f"/#{place}", code=303)


def _explain(mistake: Mistake) -> ResponseReturnValue:
    status = 404 if isinstance(mistake, NotHere) else 400
    return render_template("refused.html", sentence=str(mistake), status=status), status
