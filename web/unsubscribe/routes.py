"""One click ends the mails: no sign-in, no cookie, no question asked."""

from http import HTTPStatus

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from sync.surveys import unsubscribe
from web.runtime import runtime

blueprint = Blueprint("unsubscribe", __name__, url_prefix="/u")


@blueprint.get("/<token>")
def stop_page(token: str) -> ResponseReturnValue:
    """Show a button; opening the link changes nothing."""
    if unsubscribe.holder(runtime(), token) is None:
        abort(HTTPStatus.NOT_FOUND)
    return render_template("unsubscribe/stop.html", token=token)


@blueprint.post("/<token>")
def stop(token: str) -> ResponseReturnValue:
    """Stop at once; a mail program gets an empty answer, a person a page."""
    if not unsubscribe.stop(runtime(), token):
        abort(HTTPStatus.NOT_FOUND)
    if request.form.get("List-Unsubscribe") == "One-Click":
        return "", HTTPStatus.OK
    return render_template("unsubscribe/stopped.html")
