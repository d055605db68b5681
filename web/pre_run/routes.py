"""A page to bookmark: one tap says how a runner feels before setting off."""

from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.surveys.answering import pre_run
from sync.surveys.instruments import BadAnswer
from web.http.language import speak_to
from web.http.limits import by_token, limited
from web.runtime import runtime

blueprint = Blueprint("before", __name__, url_prefix="/before")
_TILES = {"1", "2", "3", "4", "5"}


@blueprint.get("/<token>")
def before_page(token: str) -> ResponseReturnValue:
    """Show five buttons; opening the page says nothing."""
    _holder(token)
    saved = request.args.get("saved")
    return render_template(
        "pre_run/pre_run.html",
        token=token,
        saved=int(saved) if saved in _TILES else None,
    )


@blueprint.post("/<token>")
@limited("before", by_token)
def record(token: str) -> ResponseReturnValue:
    _holder(token)
    tile = request.form.get("mood")
    if tile not in _TILES:
        raise BadAnswer("That is not one of the answers.")
    pre_run.record(runtime(), token=token, mood=int(tile) - 3)
    address = url_for(".before_page", token=token, saved=tile)
    return redirect(address, HTTPStatus.SEE_OTHER)


def _holder(token: str) -> None:
    """Speak as the bookmark's runner chose; nobody's bookmark leads nowhere."""
    runner_id = pre_run.holder(runtime(), token)
    if runner_id is None:
        abort(HTTPStatus.NOT_FOUND)
    speak_to(runner_id)
