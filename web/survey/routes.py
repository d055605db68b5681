"""The page behind a mail's link: looking writes nothing, posting records.

The address is the permission: no sign-in, no cookie, no script.  Programs that
open every link in a mail see a form and change nothing.
"""

from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.surveys.answering import answer, retained_runs
from web.http.language import speak
from web.http.limits import by_token, limited
from web.http.problems import NOT_FOUND
from web.runtime import runtime
from web.survey.retained_runs import own_log_view
from web.survey.views import SurveyView, chosen, picked_tile, view_of

blueprint = Blueprint("survey", __name__, url_prefix="/s")


@blueprint.get("/<token>")
def survey_page(token: str) -> ResponseReturnValue:
    page = _look(token)
    picked = picked_tile(request.args.get("m"))
    if page.is_closed:
        return _closed(page)
    if page.mood is not None and picked is None and "change" not in request.args:
        return _saved(page, token)
    return render_template(
        "survey/ask.html", survey=page, token=token, picked=picked or page.mood
    )


def _saved(page: SurveyView, token: str, *, refused: str = "") -> str:
    own = retained_runs.of_survey(runtime(), token)
    return render_template(
        "survey/saved.html",
        survey=page,
        token=token,
        own=own_log_view(own, page.unit),
        refused=refused,
    )


def _once_more(token: str, *, refused: str) -> str:
    """Show the form again with what was tapped in it."""
    page, picked = _look(token), picked_tile(request.form.get("mood"))
    if page.mood is not None and picked is None:
        return _saved(page, token, refused=refused)
    return render_template(
        "survey/ask.html",
        survey=page,
        token=token,
        picked=picked or page.mood,
        refused=refused,
    )


@blueprint.post("/<token>")
@limited("answer", by_token, again=_once_more)
def record(token: str) -> ResponseReturnValue:
    page = _look(token)
    # Whether it is too late is for the core to say: an open form may be finished.
    if not page.is_closed or page.state == "expired":
        try:
            answer.record(runtime(), token=token, values=chosen(request.form))
        except answer.TooLate:
            return _closed(page)
    return redirect(url_for(".survey_page", token=token), HTTPStatus.SEE_OTHER)


@blueprint.post("/<token>/skip")
@limited("answer", by_token, again=_once_more)
def skip(token: str) -> ResponseReturnValue:
    _look(token)
    answer.skip(runtime(), token=token)
    return redirect(url_for(".survey_page", token=token), HTTPStatus.SEE_OTHER)


@blueprint.post("/<token>/own-log")
@limited("answer", by_token, again=_once_more)
def keep(token: str) -> ResponseReturnValue:
    """Keep the run's distance and time as the runner's own, or drop them again."""
    page = _look(token)
    if not page.is_closed:
        wanted = request.form.get("keep") == "1"
        retained_runs.keep_for_survey(runtime(), token, keep=wanted)
    return redirect(url_for(".survey_page", token=token), HTTPStatus.SEE_OTHER)


def _closed(page: SurveyView) -> ResponseReturnValue:
    status = HTTPStatus.GONE if page.state == "expired" else HTTPStatus.OK
    return render_template("survey/closed.html", survey=page), status


def _look(token: str) -> SurveyView:
    page = answer.look(runtime(), token)
    if page is None:
        # Word for word what a mistyped address gets: nobody learns which exist.
        abort(NOT_FOUND.status)
    speak(page.language)
    return view_of(page)
