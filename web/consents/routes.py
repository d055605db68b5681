"""Withdrawing a consent, and renewing consents whose text has changed."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.errors import ConsentMissing
from sync.runners import account, connect, consents
from sync.runners.withdraw_consent import withdraw_mail_consent, withdraw_mood_consent
from sync.runs import private
from sync.runtime import Runtime
from sync.vocabulary import ConsentKind
from web.http import session
from web.http.limits import rate_limited, runner_subject
from web.http.problems import NOT_FOUND
from web.http.session import login_required, pop_next_path, require_runner
from web.runtime import runtime

blueprint = Blueprint("consents", __name__, url_prefix="/settings/consents")

WITHDRAWALS: Mapping[str, Callable[[Runtime, int], None]] = {
    ConsentKind.MOOD: withdraw_mood_consent,
    ConsentKind.MAIL: withdraw_mail_consent,
    ConsentKind.PRIVATE: private.withdraw_consent,
}


@blueprint.get("")
@login_required
def renewal_page() -> ResponseReturnValue:
    """Show the current text of consents that were given to an older one."""
    outdated = consents.load_outdated(runtime(), require_runner().runner_id)
    if not outdated:
        return redirect(url_for("settings.settings_page", _anchor="consents"))
    return _render_renewal(outdated)


@blueprint.post("")
@login_required
def renew() -> ResponseReturnValue:
    runner_id = require_runner().runner_id
    outdated = consents.load_outdated(runtime(), runner_id)
    withdraws_private = (
        ConsentKind.PRIVATE in outdated and ConsentKind.PRIVATE not in request.form
    )
    try:
        consents.renew_consents(runtime(), runner_id, list(request.form))
        if withdraws_private:
            private.delete_private_runs(runtime(), runner_id)
    except ConsentMissing:
        return _render_renewal(outdated, missing=True), HTTPStatus.BAD_REQUEST
    dashboard_url = url_for("dashboard.dashboard_page")
    return redirect(pop_next_path(dashboard_url), HTTPStatus.SEE_OTHER)


def _render_renewal(
    outdated: Mapping[ConsentKind, object], *, missing: bool = False
) -> str:
    return render_template(
        "consents/again.html",
        kinds=[
            kind
            for kind in (
                ConsentKind.STRAVA,
                ConsentKind.PRIVATE,
                ConsentKind.MOOD,
                ConsentKind.MAIL,
                ConsentKind.ADULT,
            )
            if kind in outdated
        ],
        since=outdated,
        ticked=request.form,
        missing=missing,
    )


@blueprint.get("/private")
@login_required
def private_page() -> ResponseReturnValue:
    """Offer to include private runs, or to withdraw that consent."""
    overview = account.load_overview(runtime(), require_runner().runner_id)
    if ConsentKind.PRIVATE in overview.agreed:
        return withdraw_page(ConsentKind.PRIVATE)
    if not overview.is_linked:
        return redirect(url_for("connect.consent_page"))
    return render_template("consents/private.html", account=overview)


@blueprint.post("/private/given")
@login_required
@rate_limited("connect", runner_subject)
def include_private() -> ResponseReturnValue:
    runner_id = require_runner().runner_id
    if ConsentKind.PRIVATE not in request.form:
        overview = account.load_overview(runtime(), runner_id)
        page = render_template("consents/private.html", account=overview, missing=True)
        return page, HTTPStatus.BAD_REQUEST
    if private.grant_consent(runtime(), runner_id):
        return _redirect_to_settings()
    authorization_url = connect.begin_link(
        runtime(),
        browser=session.browser_token(),
        given_consents=None,
        sign_in_token=session.sign_in_token(),
        private=True,
    )
    return redirect(authorization_url, HTTPStatus.SEE_OTHER)


@blueprint.get("/<kind>")
@login_required
def withdraw_page(kind: str) -> ResponseReturnValue:
    if kind not in WITHDRAWALS:
        abort(NOT_FOUND.status)
    holdings = account.count_holdings(runtime(), require_runner().runner_id)
    return render_template("consents/withdraw.html", kind=kind, held=holdings)


@blueprint.post("/<kind>")
@login_required
def withdraw(kind: str) -> ResponseReturnValue:
    if kind not in WITHDRAWALS:
        abort(NOT_FOUND.status)
    WITHDRAWALS[kind](runtime(), require_runner().runner_id)
    return _redirect_to_settings()


def _redirect_to_settings() -> ResponseReturnValue:
    return redirect(
        url_for("settings.settings_page", saved=1, _anchor="consents"),
        HTTPStatus.SEE_OTHER,
    )
