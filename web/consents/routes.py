"""Taking back one consent: a page that says what goes, and a button."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sync.runners import account
from sync.runtime import Runtime
from sync.surveys.withdraw import withdraw_mail, withdraw_mood
from web.problems import NOT_FOUND
from web.runtime import runtime
from web.session import login_required, signed_in

blueprint = Blueprint("consents", __name__, url_prefix="/settings/consents")

WITHDRAW: Mapping[str, Callable[[Runtime, int], None]] = {
    "mood": withdraw_mood,
    "mail": withdraw_mail,
}


@blueprint.get("/<kind>")
@login_required
def ask(kind: str) -> ResponseReturnValue:
    if kind not in WITHDRAW:
        abort(NOT_FOUND.status)
    held = account.holdings(runtime(), signed_in().runner_id)
    return render_template("consents/withdraw.html", kind=kind, held=held)


@blueprint.post("/<kind>")
@login_required
def withdraw(kind: str) -> ResponseReturnValue:
    if kind not in WITHDRAW:
        abort(NOT_FOUND.status)
    WITHDRAW[kind](runtime(), signed_in().runner_id)
    return redirect(
        url_for("settings.settings_page", saved=1, _anchor="consents"),
        HTTPStatus.SEE_OTHER,
    )
