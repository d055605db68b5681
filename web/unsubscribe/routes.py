"""One click ends the mails, and a page changes them: no sign-in, no cookie.

Whoever holds a mail may do this much and no more: be asked less, or not at all.
"""

from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.language import gettext
from sync.preferences import Preferences
from sync.runners import preferences as runner_preferences
from sync.runners.preferences import AsksMore
from sync.surveys import unsubscribe
from web.http.language import activate_runner_locale
from web.http.limits import link_subject, rate_limited
from web.runtime import runtime
from web.settings import forms
from web.unsubscribe.less_settings import build_less_settings, save_less_settings

blueprint = Blueprint("unsubscribe", __name__, url_prefix="/u")


@blueprint.get("/<token>")
def stop_page(token: str) -> ResponseReturnValue:
    """Show a button; opening the link changes nothing."""
    _require_runner_id(token)
    return render_template(
        "unsubscribe/stop.html",
        token=token,
        part=_read_part(),
    )


@blueprint.post("/<token>")
@rate_limited("preference_link", link_subject)
def stop(token: str) -> ResponseReturnValue:
    """Stop at once; a mail program gets an empty answer, a person a page."""
    _require_runner_id(token)
    part = _read_part()
    if part:
        unsubscribe.stop_part(runtime(), token, part)
    else:
        unsubscribe.stop_all_mails(runtime(), token)
    if request.form.get("List-Unsubscribe") == "One-Click":
        return "", HTTPStatus.OK
    return render_template("unsubscribe/stopped.html", token=token, part=part)


@blueprint.get("/<token>/settings")
def settings_page(token: str) -> ResponseReturnValue:
    """Show how to be asked less; a link that chose more leads to the settings."""
    suggested = request.args.get("ask", "")
    less = build_less_settings(_load_preferences(token))
    if suggested and suggested not in less.frequencies:
        return redirect(url_for("settings.settings_page", ask=suggested))
    return _render_settings(token, saved="saved" in request.args)


@blueprint.post("/<token>/settings")
@rate_limited("preference_link", link_subject)
def save_settings(token: str) -> ResponseReturnValue:
    runner_id = _require_runner_id(token)
    try:
        save_less_settings(runner_id, request.form)
    except (forms.InvalidChoice, AsksMore) as error:
        refused = (
            gettext("This link can only ask for less: for more, sign in.")
            if isinstance(error, AsksMore)
            else str(error)
        )
        return _render_settings(token, refused=refused), HTTPStatus.BAD_REQUEST
    address = url_for(".settings_page", token=token, saved=1)
    return redirect(address, HTTPStatus.SEE_OTHER)


def _render_settings(token: str, *, saved: bool = False, refused: str = "") -> str:
    return render_template(
        "unsubscribe/settings.html",
        token=token,
        less=build_less_settings(
            _load_preferences(token), suggested=request.args.get("ask", "")
        ),
        saved=saved,
        refused=refused,
    )


def _load_preferences(token: str) -> Preferences:
    return runner_preferences.load_preferences(runtime(), _require_runner_id(token))


def _read_part() -> str:
    """Return which mails alone are to stop; "" for all of them."""
    part = request.args.get("only", "")
    return part if unsubscribe.is_stoppable_part(part) else ""


def _require_runner_id(token: str) -> int:
    runner_id = unsubscribe.find_runner_id(runtime(), token)
    if runner_id is None:
        abort(HTTPStatus.NOT_FOUND)
    activate_runner_locale(runner_id)
    return runner_id
