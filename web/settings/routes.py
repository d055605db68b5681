"""A runner's own controls: when to ask, and the way to all the others."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.preferences import Preferences
from sync.runners import account
from sync.runners.preferences import FocusLocked
from sync.surveys.answering import pre_run
from web.help import local_support
from web.http.session import login_required, require_runner
from web.runtime import runtime
from web.settings import forms
from web.settings.survey_preferences import build_survey_settings
from web.settings.survey_preferences import save_survey_settings as save_asking

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("")
@login_required
def settings_page() -> ResponseReturnValue:
    return _render_page(saved="saved" in request.args)


@blueprint.post("")
@login_required
def save() -> ResponseReturnValue:
    try:
        save_asking(require_runner().runner_id, request.form, include_display=True)
    except (forms.InvalidChoice, FocusLocked) as error:
        return _render_page(refused=str(error)), HTTPStatus.BAD_REQUEST
    return redirect(url_for(".settings_page", saved=1), HTTPStatus.SEE_OTHER)


def _render_page(*, saved: bool = False, refused: str = "") -> str:
    runner_id = require_runner().runner_id
    overview = account.load_overview(runtime(), runner_id)
    preferences = Preferences.from_stored(overview.preferences)
    return render_template(
        "settings/settings.html",
        account=overview,
        preferences=preferences,
        asking=build_survey_settings(
            preferences, suggested=request.args.get("ask", "")
        ),
        bookmark=pre_run.create_token(runtime(), runner_id),
        zones=forms.list_time_zones(overview.zone),
        forms=forms,
        countries=local_support.list_country_choices(),
        saved=saved,
        refused=refused,
    )
