"""What a runner agreed to: taking one back, and agreeing again to a new text."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.errors import ConsentMissing
from sync.runners import account, connect, consents
from sync.runners.withdraw_consent import withdraw_mail, withdraw_mood
from sync.runs import private
from sync.runtime import Runtime
from web.http import session
from web.http.limits import by_runner, limited
from web.http.problems import NOT_FOUND
from web.http.session import login_required, signed_in, where_to_go
from web.runtime import runtime

blueprint = Blueprint("consents", __name__, url_prefix="/settings/consents")

WITHDRAW: Mapping[str, Callable[[Runtime, int], None]] = {
    "mood": withdraw_mood,
    "mail": withdraw_mail,
    "private": private.withdraw,
}


@blueprint.get("")
@login_required
def again_page() -> ResponseReturnValue:
    """Show today's text of what was agreed to in an older one."""
    outdated = consents.outdated(runtime(), signed_in().runner_id)
    if not outdated:
        return redirect(url_for("settings.settings_page", _anchor="consents"))
    return _again(outdated)


@blueprint.post("")
@login_required
def agree_again() -> ResponseReturnValue:
    runner_id = signed_in().runner_id
    ends_private = "private" in consents.outdated(runtime(), runner_id)
    ends_private = ends_private and "private" not in request.form
    try:
        consents.agree_again(runtime(), runner_id, list(request.form))
        if ends_private:
            private.forget(runtime(), runner_id)
    except ConsentMissing:
        outdated = consents.outdated(runtime(), runner_id)
        return _again(outdated, missing=True), HTTPStatus.BAD_REQUEST
    home = url_for("dashboard.dashboard_page")
    return redirect(where_to_go(home), HTTPStatus.SEE_OTHER)


def _again(outdated: Mapping[str, object], *, missing: bool = False) -> str:
    return render_template(
        "consents/again.html",
        kinds=[
            kind
            for kind in ("strava", "private", "mood", "mail", "adult")
            if kind in outdated
        ],
        since=outdated,
        ticked=request.form,
        missing=missing,
    )


@blueprint.get("/private")
@login_required
def private_page() -> ResponseReturnValue:
    """Let runs that only the runner can see be left out, or be included."""
    overview = account.overview(runtime(), signed_in().runner_id)
    if "private" in overview.agreed:
        return ask("private")
    if not overview.is_linked:
        return redirect(url_for("connect.consent_page"))
    return render_template("consents/private.html", account=overview)


@blueprint.post("/private/given")
@login_required
@limited("connect", by_runner)
def give_private() -> ResponseReturnValue:
    runner_id = signed_in().runner_id
    if "private" not in request.form:
        overview = account.overview(runtime(), runner_id)
        page = render_template("consents/private.html", account=overview, missing=True)
        return page, HTTPStatus.BAD_REQUEST
    if private.agree(runtime(), runner_id):
        return _settings()
    way_back = connect.begin(
        runtime(),
        browser=session.browser(),
        consents=None,
        runner_id=runner_id,
        private=True,
    )
    return redirect(way_back, HTTPStatus.SEE_OTHER)


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
    return _settings()


def _settings() -> ResponseReturnValue:
    return redirect(
        url_for("settings.settings_page", saved=1, _anchor="consents"),
        HTTPStatus.SEE_OTHER,
    )
