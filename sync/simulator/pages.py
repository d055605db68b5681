"""The control page: the verbs of the control API for people with a browser."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sync.simulator import activities as life
from sync.simulator import commands, faults, grants, limits
from sync.simulator.fields import RequestFields
from sync.simulator.records import Activity, Athlete, Singleton
from sync.simulator.refusals import InvalidCommand, UnknownRecord
from sync.simulator.world import World

MAX_SHOWN_ATHLETES = 12
MAX_SHOWN_ACTIVITIES = 10
MAX_SHOWN_EVENTS = 20
CROP_FACTOR = 0.9


class ControlPages:
    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("pages", __name__)
        athlete = "/page/athletes/<int:athlete_id>"
        for path, view in (
            (f"{athlete}/runs", self.upload_run),
            (f"{athlete}/deauthorise", self.deauthorise_athlete),
            ("/page/activities/<int:activity_id>/<verb>", self.change_activity),
            ("/page/faults", self.change_faults),
            ("/page/settings", self.update_settings),
        ):
            blueprint.add_url_rule(path, view_func=view, methods=["POST"])
        blueprint.add_url_rule("/", view_func=self.show_control)
        blueprint.add_url_rule(
            "/activities/<int:activity_id>", view_func=self.show_activity
        )
        blueprint.register_error_handler(InvalidCommand, render_invalid_command)
        return blueprint

    def show_control(self) -> str:
        world = self._world
        with world.transaction():
            athletes = sorted(world.athletes, key=lambda athlete: athlete.id)
            subscription = world.subscription
            usage = limits.reset_expired_windows(
                world.usage, world.limits, world.now_s()
            )
            return render_template(
                "control.html",
                cards=[
                    self._build_card(athlete)
                    for athlete in athletes[:MAX_SHOWN_ATHLETES]
                ],
                more=max(len(athletes) - MAX_SHOWN_ATHLETES, 0),
                app_url=subscription and urljoin(subscription.callback_url, "/"),
                zones=life.ZONES,
                sports=commands.SPORTS,
                fault_kinds=faults.FAULT_KINDS,
                calls=faults.FAULT_TARGETS,
                faults=list(world.faults),
                app=world.app,
                limits=world.limits,
                usage=usage,
                delivery=world.delivery,
                events=list(world.events)[: -MAX_SHOWN_EVENTS - 1 : -1],
            )

    def show_activity(self, activity_id: int) -> str:
        """Show one activity, where a "View on Strava" link leads."""
        with self._world.transaction():
            activity = life.require_activity(self._world, activity_id)
            athlete = life.require_athlete(self._world, activity.athlete_id)
        return render_template(
            "alone.html", row=_build_activity_row(activity), athlete=athlete
        )

    def upload_run(self, athlete_id: int) -> ResponseReturnValue:
        """Upload a run given in kilometres and minutes."""
        form = RequestFields(request.form)
        upload = commands.parse_run(
            RequestFields(
                {
                    "distance_m": 1000 * form.number("kilometres", 5, maximum=500),
                    "moving_s": round(60 * form.number("minutes", 30, maximum=2880)),
                    "ended_minutes_ago": form.number("ended", 30, maximum=100_000),
                    "zone": form.zone("zone", "daytime"),
                    "trainer": form.flag("trainer"),
                    "race": form.flag("race"),
                }
            )
        )
        with self._world.transaction():
            athlete = life.require_athlete(self._world, athlete_id)
            life.upload_run(self._world, athlete, upload)
        return _redirect_to_page(f"athlete-{athlete_id}")

    def change_activity(self, activity_id: int, verb: str) -> ResponseReturnValue:
        with self._world.transaction():
            activity = life.require_activity(self._world, activity_id)
            if verb == "delete":
                life.delete_activity(self._world, activity)
            else:
                edit = build_edit(verb, activity, RequestFields(request.form))
                life.edit_activity(
                    self._world, activity, commands.parse_edit(RequestFields(edit))
                )
        return _redirect_to_page(f"athlete-{activity.athlete_id}")

    def deauthorise_athlete(self, athlete_id: int) -> ResponseReturnValue:
        with self._world.transaction():
            athlete = life.require_athlete(self._world, athlete_id)
            grants.deauthorise_athlete(self._world, athlete.id)
        return _redirect_to_page(f"athlete-{athlete_id}")

    def change_faults(self) -> ResponseReturnValue:
        """Add a fault, or remove all of them."""
        fields = {key: value for key, value in request.form.items() if value}
        with self._world.transaction():
            if fields.pop("heal", None):
                for fault in self._world.faults:
                    self._world.faults.remove(fault.id)
            else:
                self._world.faults.put(
                    commands.parse_fault(self._world, RequestFields(fields))
                )
        return _redirect_to_page("faults")

    def update_settings(self) -> ResponseReturnValue:
        """Adjust the limits, the delivery and the app, in one form."""
        world = self._world
        form = {**request.form, "inactive": request.form.get("inactive", "no")}
        with world.transaction():
            world.put_singleton(
                commands.parse_limits(world.limits, _select_fields(world.limits, form))
            )
            world.put_singleton(
                commands.parse_delivery(
                    world.delivery, _select_fields(world.delivery, form)
                )
            )
            world.put_singleton(
                commands.parse_app(world.app, _select_fields(world.app, form))
            )
        return _redirect_to_page("settings")

    def _build_card(self, athlete: Athlete) -> dict[str, Any]:
        activities = self._world.list_activities(athlete.id)
        activities.sort(key=lambda activity: activity.start_s, reverse=True)
        grant = self._world.grants.get(athlete.id)
        return {
            "athlete": athlete,
            "scope": grant and grant.scope.replace(",", ", "),
            "count": len(activities),
            "activities": [
                _build_activity_row(activity)
                for activity in activities[:MAX_SHOWN_ACTIVITIES]
            ],
        }


def _select_fields(settings: Singleton, form: dict[str, str]) -> RequestFields:
    """Pick the fields of one form that belong to these settings."""
    return RequestFields({name: form[name] for name in vars(settings) if name in form})


def _build_activity_row(activity: Activity) -> dict[str, Any]:
    started = datetime.fromtimestamp(activity.start_s, UTC)
    local = started.astimezone(ZoneInfo(activity.zone))
    minutes, seconds = divmod(activity.moving_s, 60)
    return {
        "activity": activity,
        "when": f"{local:%a} {local.day} {local:%b %Y, %H:%M}",
        "kilometres": f"{activity.distance_m / 1000:.2f}",
        "time": f"{minutes}:{seconds:02}",
    }


def build_edit(verb: str, activity: Activity, form: RequestFields) -> dict[str, object]:
    """Return the fields of an edit that a button of the page stands for."""
    match verb:
        case "rename":
            return {"name": form.text("name")}
        case "crop":
            return {
                "distance_m": activity.distance_m * CROP_FACTOR,
                "moving_s": int(activity.moving_s * CROP_FACTOR),
            }
        case "hide":
            return {"visibility": "only_me"}
        case "show":
            return {"visibility": "everyone"}
        case "retype":
            return {"sport_type": form.choice("sport_type", commands.SPORTS, "Run")}
        case _:
            raise InvalidCommand(
                f"{verb!r} is nothing that can be done to an activity."
            )


def _redirect_to_page(fragment: str) -> ResponseReturnValue:
    return redirect(f"/#{fragment}", code=303)


def render_invalid_command(error: InvalidCommand) -> ResponseReturnValue:
    """Show the sentence of an error on a page of its own."""
    status = 404 if isinstance(error, UnknownRecord) else 400
    return render_template("refused.html", sentence=str(error), status=status), status
