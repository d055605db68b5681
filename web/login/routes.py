"""Signing in by Strava or by a mailed link, and signing out.  No passwords."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.errors import InvalidAddress
from sync.language import gettext
from sync.runners import account, sign_in
from sync.vocabulary import SignInMethod
from web.http import session
from web.http.limits import (
    address_and_network_subject,
    address_subject,
    link_subject,
    rate_limited,
    runner_subject,
)
from web.http.session import login_required, require_runner
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
@rate_limited("sign-in mail", address_and_network_subject, render_form=_render_form)
@rate_limited("mail to one address", address_subject, render_form=_render_form)
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


@blueprint.get("/login/again")
def again_page() -> ResponseReturnValue:
    """Offer the ways that this runner has, before something that needs one again."""
    runner = session.current_runner()
    if runner is None:
        return redirect(url_for(".login_page"))
    by_any_way = "any" in request.args
    overview = account.load_overview(runtime(), runner.runner_id)
    return render_template(
        "login/again.html",
        sent="sent" in request.args,
        by_any_way=by_any_way,
        email=overview.email,
        by_strava=SignInMethod.STRAVA in runner.ways,
        by_mail=SignInMethod.MAIL in runner.ways
        and (by_any_way or runner.is_address_proven),
    )


@blueprint.post("/login/again")
@login_required
@rate_limited("sign-in mail", runner_subject)
def send_own_link() -> ResponseReturnValue:
    """Mail a link to the runner's own address; it ends with this sign-in."""
    sign_in.enqueue_own_link(
        runtime(),
        require_runner().runner_id,
        sign_in_token=session.sign_in_token(),
        browser=session.browser_token(),
    )
    return redirect(url_for(".again_page", sent=1, any=1), HTTPStatus.SEE_OTHER)


@blueprint.get("/login/switched")
@login_required
def switched_page() -> ResponseReturnValue:
    """Say whose account this is, after somebody else's was open in this browser."""
    summary = account.load_own_summary(runtime(), require_runner().runner_id)
    return render_template("login/switched.html", account=summary)


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
    next_path = session.login(
        runner_id,
        method=SignInMethod.MAIL,
        default_path=url_for("dashboard.dashboard_page"),
    )
    return redirect(next_path, HTTPStatus.SEE_OTHER)


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    session.logout()
    return redirect(url_for("landing.landing"), HTTPStatus.SEE_OTHER)
