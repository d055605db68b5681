"""The browsers that are signed in, each of which its runner can sign out."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.language import gettext as _
from sync.runners import browser_sessions
from web.http import session
from web.http.session import login_required, require_runner
from web.runtime import runtime

blueprint = Blueprint("browser_sessions", __name__, url_prefix="/settings/sign-ins")


@blueprint.get("")
@login_required
def signins_page() -> ResponseReturnValue:
    sign_ins = browser_sessions.list_browsers(
        runtime(), require_runner().runner_id, token=session.sign_in_token()
    )
    return render_template(
        "settings/signins.html",
        browsers=sign_ins,
        said=localize_browser_name,
        saved="saved" in request.args,
    )


@blueprint.post("")
@login_required
def sign_out() -> ResponseReturnValue:
    """End the sign-in that the form names, or every other one."""
    runner_id, token = require_runner().runner_id, session.sign_in_token()
    if "others" in request.form:
        browser_sessions.sign_out_others(runtime(), runner_id, token=token)
    else:
        browser_sessions.sign_out_browser(
            runtime(), runner_id, request.form.get("browser", "")
        )
    return redirect(url_for(".signins_page", saved=1), HTTPStatus.SEE_OTHER)


def localize_browser_name(name: str) -> str:
    """Say a browser's name, which is kept in English, in the language spoken now."""
    program, separator, system = name.partition(" on ")
    if separator:
        return _("%(program)s on %(system)s", program=program, system=system)
    return program or _("Unknown browser")
