"""Linking Strava: consent here, consent there, and a page for every outcome."""

from dataclasses import fields
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.errors import ConsentMissing, PrivateScopeMissing, StateRefused
from sync.runners import connect
from sync.runners.rules import ConsentChoices
from sync.vocabulary import SignInMethod
from web.http import session
from web.http.limits import rate_limited, runner_subject
from web.runtime import runtime

blueprint = Blueprint("connect", __name__, url_prefix="/connect")


@blueprint.get("")
def consent_page() -> ResponseReturnValue:
    return render_template(
        "connect/consent.html", ticked=ConsentChoices(), is_new="new" in request.args
    )


@blueprint.post("")
@rate_limited("connect", runner_subject)
def start_authorization() -> ResponseReturnValue:
    """Store the consents given and go to Strava's own consent page."""
    consents = ConsentChoices(
        **{field.name: field.name in request.form for field in fields(ConsentChoices)}
    )
    try:
        address = connect.begin_link(
            runtime(),
            browser=session.browser_token(),
            given_consents=consents,
            sign_in_token=session.sign_in_token() if session.current_runner() else "",
        )
    except ConsentMissing:
        page = render_template("connect/consent.html", ticked=consents, missing=True)
        return page, HTTPStatus.BAD_REQUEST
    return redirect(address, HTTPStatus.SEE_OTHER)


@blueprint.post("/again")
@rate_limited("connect", runner_subject)
def sign_in() -> ResponseReturnValue:
    """Go to Strava without the consent page: a linked runner has agreed before."""
    return redirect(_begin_sign_in(), HTTPStatus.SEE_OTHER)


@blueprint.get("/callback")
def finish_authorization() -> ResponseReturnValue:
    """Sign the runner in who returns from Strava, or explain the refusal."""
    state, browser = request.args.get("state", ""), session.browser_token()
    if "error" in request.args:
        connect.decline_link(runtime(), state=state, browser=browser)
        return render_template("connect/declined.html")
    if not state or "code" not in request.args:
        raise StateRefused("Strava's answer is incomplete.")
    try:
        link_result = connect.finish_link(
            runtime(),
            state=state,
            browser=browser,
            code=request.args["code"],
            scope=request.args.get("scope", ""),
            sign_in_token=session.sign_in_token() if session.current_runner() else "",
        )
    except ConsentMissing:
        return redirect(url_for(".consent_page", new=1))
    except PrivateScopeMissing:
        return redirect(_begin_sign_in(private=True))
    first_page = (
        "email.address_page"
        if link_result.needs_address
        else "dashboard.dashboard_page"
    )
    next_path = session.login(
        link_result.runner_id,
        method=SignInMethod.STRAVA,
        default_path=url_for(first_page),
    )
    # Somebody new came to start, whatever page they tried before.
    is_new = link_result.is_new and link_result.needs_address
    return redirect(url_for(first_page) if is_new else next_path)


def _begin_sign_in(*, private: bool = False) -> str:
    return connect.begin_link(
        runtime(), browser=session.browser_token(), given_consents=None, private=private
    )
