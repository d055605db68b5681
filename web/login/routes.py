"""Signing in by Strava or by a mailed link, and signing out.  No passwords."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.errors import InvalidAddress
from sync.language import gettext
from sync.runners import sign_in
from web.http import session
from web.http.limits import address_subject, link_subject, rate_limited
from web.runtime import runtime

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def login_page() -> ResponseReturnValue:
    if session.current_runner() is not None:
        return redirect(url_for("dashboard.dashboard_page"))
    session.save_next_path(request.args.get("next"))
    return render_template("login/login.html", sent="sent" in request.args)


def _render_form(*, refused: str) -> str:
    email = request.form.get("email", "")
    return render_template("login/login.html", sent=False, email=email, refused=refused)


@blueprint.post("/login")
@rate_limited("sign-in mail", address_subject, render_form=_render_form)
def send_link() -> ResponseReturnValue:
    """Mail a link if the address is known; the page says the same either way."""
    email = request.form.get("email", "")
    try:
        sign_in.enqueue_sign_in_link(
            runtime(), email=email, browser=session.browser_token()
        )
    except InvalidAddress as error:
        return _render_form(refused=gettext(str(error))), HTTPStatus.BAD_REQUEST
    return redirect(url_for(".login_page", sent=1), HTTPStatus.SEE_OTHER)


@blueprint.get("/login/<token>")
def link_page(token: str) -> ResponseReturnValue:
    """Show a button: programs that open every link must not use it up."""
    return render_template("login/link.html", token=token)


@blueprint.post("/login/<token>")
@rate_limited("sign-in link", link_subject)
def redeem(token: str) -> ResponseReturnValue:
    browser = session.browser_token()
    runner_id = sign_in.redeem_sign_in_link(runtime(), token=token, browser=browser)
    if runner_id is None:
        return render_template("login/link_over.html"), HTTPStatus.GONE
    session.login(runner_id)
    dashboard_url = url_for("dashboard.dashboard_page")
    return redirect(session.pop_next_path(dashboard_url), HTTPStatus.SEE_OTHER)


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    session.logout()
    return redirect(url_for("landing.landing"), HTTPStatus.SEE_OTHER)
