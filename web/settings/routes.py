"""A runner's own controls: when to ask, and the way to all the others."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.language import LANGUAGES
from sync.runners import account
from sync.runners.preferences import FocusLocked
from sync.surveys.answering import pre_run
from web.help import local_support
from web.http.session import login_required, require_runner
from web.runtime import runtime
from web.settings import forms
from web.settings.cards import IF_YOU_LIKE, WHERE_AND_HOW, build_rows
from web.settings.survey_preferences import build_survey_settings, save_survey_settings

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("")
@login_required
def settings_page() -> ResponseReturnValue:
    return _render_page(saved="saved" in request.args)


@blueprint.post("")
@login_required
def save() -> ResponseReturnValue:
    try:
        save_survey_settings(
            require_runner().runner_id,
            request.form,
            more_cards=(WHERE_AND_HOW, IF_YOU_LIKE),
            page_choices=_list_page_choices(),
        )
    except (forms.InvalidChoice, FocusLocked) as error:
        return _render_page(refused=str(error)), HTTPStatus.BAD_REQUEST
    return redirect(url_for(".settings_page", saved=1), HTTPStatus.SEE_OTHER)


def _render_page(*, saved: bool = False, refused: str = "") -> str:
    runner_id = require_runner().runner_id
    overview = account.load_overview(runtime(), runner_id)
    preferences = overview.preferences
    page_choices = _list_page_choices()
    return render_template(
        "settings/settings.html",
        account=overview,
        where_and_how=build_rows(WHERE_AND_HOW, preferences, page_choices),
        if_you_like=build_rows(IF_YOU_LIKE, preferences, page_choices),
        asking=build_survey_settings(
            preferences, suggested=request.args.get("ask", "")
        ),
        bookmark=pre_run.create_token(runtime(), runner_id),
        zones=forms.list_time_zones(overview.zone),
        forms=forms,
        saved=saved,
        refused=refused,
    )


def _list_page_choices() -> Mapping[str, Mapping[str, str]]:
    return {
        "language": LANGUAGES,
        "country": local_support.list_country_choices(),
    }
