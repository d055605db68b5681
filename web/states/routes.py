"""A list of every state that a page can be in, and the way into each one.

A link opens the real page: as a runner who is prepared for it, or after the
error that brings it about.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import NoReturn

from flask import Blueprint, abort, redirect, render_template
from flask.typing import ResponseReturnValue

from sync import errors
from sync.crypto import KeyLost
from sync.language import translatable
from sync.standins.fixtures.fixtures import SCENES, prepare
from web import session
from web.runtime import runtime

blueprint = Blueprint("states", __name__, url_prefix="/states")


def _slowed() -> Exception:
    return errors.RateLimited(runtime().now() + timedelta(minutes=9))


def _broken() -> Exception:
    return RuntimeError("somebody wanted to see what a mistake of ours looks like")


FAILURES: Mapping[str, Callable[[], Exception]] = {
    "strava-slow": _slowed,
    "strava-down": lambda: errors.StravaUnavailable("Strava is down."),
    "strava-inactive": lambda: errors.AppInactive("Strava switched the app off."),
    "strava-full": lambda: errors.AppFull("All places are taken."),
    "key-lost": lambda: KeyLost("The key is not there."),
    "server-error": _broken,
}
ADDRESSES: Mapping[str, str] = {
    "landing": "/",
    "consent": "/connect?new=1",
    "sign-in": "/login",
    "link-over": "/email/confirm/used-before",
    "undo": "/undo/some-link",
    "not-found": "/nowhere",
    "offline": "/offline",
}
STATES: Mapping[str, Mapping[str, str]] = {
    translatable("The way in"): {
        "landing": translatable("Start page"),
        "consent": translatable("What you agree to"),
        "sign-in": translatable("Sign in"),
        "address": translatable("Give an e-mail address"),
        "link-over": translatable("A link that is over"),
    },
    translatable("Runs come in"): {
        "importing": translatable("The import is under way"),
        "importing-slowed": translatable("Strava asked the import to slow down"),
        "importing-strava-down": translatable("Strava does not answer the import"),
        "no-runs": translatable("No runs yet"),
    },
    translatable("The dashboard"): {
        "no-answers": translatable("Runs, and no answer yet"),
        "to-answer": translatable("A run of today to answer"),
        "answers-3": translatable("3 answers"),
        "answers-20": translatable("20 answers"),
        "answers-500": translatable("500 answers"),
        "runs-10000": translatable("10,000 runs"),
        "low-answers": translatable("Several low answers"),
        "run": translatable("One run"),
    },
    translatable("The question"): {
        "survey": translatable("A question with an answer chosen"),
        "survey-saved": translatable("A saved answer"),
        "survey-expired": translatable("A question that is over"),
    },
    translatable("The way out"): {
        "going": translatable("About to be deleted"),
        "undo": translatable("A mailed link that undoes it"),
    },
    translatable("When something is wrong"): {
        "bounced": translatable("Mails come back"),
        "strava-disconnected": translatable("Strava is disconnected"),
        "strava-slow": translatable("Strava asks us to slow down"),
        "strava-down": translatable("Strava does not answer"),
        "strava-inactive": translatable("Strava has switched the app off"),
        "strava-full": translatable("Strava lets no more runners in"),
        "not-found": translatable("Nothing at this address"),
        "key-lost": translatable("The key to the data is missing"),
        "server-error": translatable("A mistake of ours"),
        "offline": translatable("No network"),
    },
}


@blueprint.before_request
def hide_where_people_can_reach_it() -> None:
    if not runtime().settings.shows_states:
        abort(HTTPStatus.NOT_FOUND)


@blueprint.get("")
def states() -> ResponseReturnValue:
    return render_template("states/states.html", groups=STATES)


@blueprint.get("/<name>")
def state(name: str) -> ResponseReturnValue:
    """Open one state; this browser becomes the runner who is prepared for it."""
    if name in FAILURES:
        _fail(FAILURES[name]())
    if name in ADDRESSES:
        return redirect(ADDRESSES[name], HTTPStatus.SEE_OTHER)
    if name not in SCENES:
        abort(HTTPStatus.NOT_FOUND)
    scene = prepare(runtime(), name)
    if scene.runner_id is not None:
        session.login(scene.runner_id)
    return redirect(scene.path, HTTPStatus.SEE_OTHER)


def _fail(error: Exception) -> NoReturn:
    raise error
