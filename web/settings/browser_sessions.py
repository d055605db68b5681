"""The browsers that are signed in, each of which its runner can sign out."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.language import gettext as _
from sync.runners import browser_sessions
from web.http import session
from web.http.session import login_required, signed_in
from web.runtime import runtime

blueprint = Blueprint("signins", __name__, url_prefix="/settings/sign-ins")


@blueprint.get("")
@login_required
def signins_page() -> ResponseReturnValue:
    found = browser_sessions.listed(
        runtime(), signed_in().runner_id, token=session.sign_in_token()
    )
    return render_template(
        "settings/signins.html",
        browsers=found,
        said=said,
        saved="saved" in request.args,
    )


@blueprint.post("")
@login_required
def end() -> ResponseReturnValue:
    """End the sign-in that the form names, or every other one."""
    runner_id, token = signed_in().runner_id, session.sign_in_token()
    if "others" in request.form:
        browser_sessions.end_others(runtime(), runner_id, token=token)
    else:
        browser_sessions.end(runtime(), runner_id, request.form.get("browser", ""))
    return redirect(url_for(".signins_page", saved=1), HTTPStatus.SEE_OTHER)


def said(name: str) -> str:
    """Say a browser's name, which is kept in English, in the language spoken now."""
    program, on, system = name.partition(" on ")
    if on:
        return _("%(program)s on %(system)s", program=program, system=system)
    return program or _("Unknown browser")
