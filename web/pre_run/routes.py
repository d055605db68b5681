"""A bookmarked page that records the mood before a run with one tap."""

from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.surveys.answering import pre_run
from sync.surveys.instruments import InvalidAnswer
from sync.vocabulary import Mood
from web.formats import parse_tile
from web.http.language import activate_runner_locale
from web.http.limits import link_subject, rate_limited
from web.runtime import runtime

blueprint = Blueprint("pre_run", __name__, url_prefix="/before")


@blueprint.get("/<token>")
def pre_run_page(token: str) -> ResponseReturnValue:
    """Show five buttons; opening the page records nothing."""
    _require_bookmark(token)
    saved = parse_tile(request.args.get("saved"))
    return render_template("pre_run/pre_run.html", token=token, saved=saved)


@blueprint.post("/<token>")
@rate_limited("pre_run", link_subject)
def record(token: str) -> ResponseReturnValue:
    _require_bookmark(token)
    tile = parse_tile(request.form.get("mood"))
    if tile is None:
        raise InvalidAnswer("That is not one of the answers.")
    try:
        pre_run.record_mood(runtime(), token=token, mood=Mood.from_tile(tile))
    except pre_run.InvalidPreRunLink:  # its runner was deleted just now
        abort(HTTPStatus.NOT_FOUND)
    address = url_for(".pre_run_page", token=token, saved=tile)
    return redirect(address, HTTPStatus.SEE_OTHER)


def _require_bookmark(token: str) -> None:
    """Use the language of the bookmark's runner; 404 for an unknown bookmark."""
    runner_id = pre_run.find_runner_id(runtime(), token)
    if runner_id is None:
        abort(HTTPStatus.NOT_FOUND)
    activate_runner_locale(runner_id)
