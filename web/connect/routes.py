"""Consent here, consent at Strava, and back: every way that can end has a page."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.errors import ConsentMissing, PrivateMissing, StateRefused
from sync.runners import connect
from sync.runners.rules import Consents
from web.http import session
from web.http.limits import by_runner, limited
from web.runtime import runtime

blueprint = Blueprint("connect", __name__, url_prefix="/connect")


@blueprint.get("")
def consent_page() -> ResponseReturnValue:
    return render_template(
        "connect/consent.html", ticked=Consents(), is_new="new" in request.args
    )


@blueprint.post("")
@limited("connect", by_runner)
def leave_for_strava() -> ResponseReturnValue:
    """Note what was agreed to and go to Strava's own consent page."""
    consents = _ticked(request.form)
    runner = session.current_runner()
    try:
        address = connect.begin(
            runtime(),
            browser=session.browser(),
            consents=consents,
            runner_id=runner.runner_id if runner else None,
        )
    except ConsentMissing:
        page = render_template("connect/consent.html", ticked=consents, missing=True)
        return page, HTTPStatus.BAD_REQUEST
    return redirect(address, HTTPStatus.SEE_OTHER)


@blueprint.post("/again")
@limited("connect", by_runner)
def sign_in() -> ResponseReturnValue:
    """Go straight to Strava: who is linked already has ticked the boxes before."""
    return redirect(_way_back(), HTTPStatus.SEE_OTHER)


@blueprint.get("/callback")
def come_back() -> ResponseReturnValue:
    """Take the runner back from Strava, signed in, or say why not."""
    state, browser = request.args.get("state", ""), session.browser()
    if "error" in request.args:
        connect.decline(runtime(), state=state, browser=browser)
        return render_template("connect/declined.html")
    if not state or "code" not in request.args:
        raise StateRefused("Strava's answer is incomplete.")
    try:
        linked = connect.finish(
            runtime(),
            state=state,
            browser=browser,
            code=request.args["code"],
            scope=request.args.get("scope", ""),
        )
    except ConsentMissing:
        return redirect(url_for(".consent_page", new=1))
    except PrivateMissing:
        return redirect(_way_back(private=True))
    session.login(linked.runner_id)
    if linked.needs_address:
        return redirect(url_for("email.address_page"))
    return redirect(session.where_to_go(url_for("dashboard.dashboard_page")))


def _way_back(*, private: bool = False) -> str:
    return connect.begin(
        runtime(), browser=session.browser(), consents=None, private=private
    )


def _ticked(form: Mapping[str, str]) -> Consents:
    return Consents(
        strava="strava" in form,
        mood="mood" in form,
        mail="mail" in form,
        adult="adult" in form,
        private="private" in form,
    )
