"""A runner's own controls: when to ask, and the way to all the others."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.preferences import Preferences
from sync.runners import account
from sync.runners.preferences import TooSoon
from sync.surveys.answering import pre_run
from web.help import local_support
from web.http.session import login_required, signed_in
from web.runtime import runtime
from web.settings import forms
from web.settings.survey_preferences import asking
from web.settings.survey_preferences import save as save_asking

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("")
@login_required
def settings_page() -> ResponseReturnValue:
    return _page(saved="saved" in request.args)


@blueprint.post("")
@login_required
def save() -> ResponseReturnValue:
    try:
        save_asking(signed_in().runner_id, request.form, everything=True)
    except (forms.NotAChoice, TooSoon) as error:
        return _page(refused=str(error)), HTTPStatus.BAD_REQUEST
    return redirect(url_for(".settings_page", saved=1), HTTPStatus.SEE_OTHER)


def _page(*, saved: bool = False, refused: str = "") -> str:
    runner_id = signed_in().runner_id
    overview = account.overview(runtime(), runner_id)
    preferences = Preferences.of(overview.preferences)
    return render_template(
        "settings/settings.html",
        account=overview,
        preferences=preferences,
        asking=asking(preferences, offered=request.args.get("ask", "")),
        bookmark=pre_run.token_for(runtime(), runner_id),
        zones=forms.zones(overview.zone),
        forms=forms,
        countries=local_support.choices(),
        saved=saved,
        refused=refused,
    )
