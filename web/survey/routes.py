"""The page behind a mail's link: looking writes nothing, posting records.

The address is the permission: no sign-in, no cookie, no script.  Programs that
open every link in a mail see a form and change nothing.
"""

from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.language import gettext
from sync.surveys.answering import answer, own_notes, retained_runs
from web.http.language import activate_locale
from web.http.limits import link_subject, rate_limited
from web.http.problems import NOT_FOUND
from web.http.session import current_runner
from web.runtime import runtime
from web.survey.retained_runs import build_retained_run_view
from web.survey.views import SurveyView, build_survey_view, parse_answers, parse_tile

blueprint = Blueprint("survey", __name__, url_prefix="/s")


@blueprint.get("/<token>")
def survey_page(token: str) -> ResponseReturnValue:
    view = _load_view(token)
    tile = parse_tile(request.args.get("m"))
    if view.closed is not None:
        return _render_closed(view)
    if view.mood is not None and tile is None and "change" not in request.args:
        return _render_saved(view, token)
    return render_template(
        "survey/ask.html", survey=view, token=token, picked=tile or view.mood
    )


def _render_saved(
    view: SurveyView, token: str, *, refused: str = "", draft: str | None = None
) -> str:
    """Show what is saved; `draft` is a line that was refused."""
    retained_run = retained_runs.load_offer_for_survey(runtime(), token)
    reader = current_runner()
    note = own_notes.load_survey_note(
        runtime(), token, reader_id=reader.runner_id if reader else None
    )
    return render_template(
        "survey/saved.html",
        survey=view,
        token=token,
        own=build_retained_run_view(retained_run, view.unit),
        note=note,
        draft=draft,
        refused=refused,
    )


def _render_form(token: str, *, refused: str) -> str:
    """Show the form again with what was tapped in it."""
    view, tile = _load_view(token), parse_tile(request.form.get("mood"))
    if view.mood is not None and tile is None:
        draft = request.form.get("note")
        return _render_saved(view, token, refused=refused, draft=draft)
    return render_template(
        "survey/ask.html",
        survey=view,
        token=token,
        picked=tile or view.mood,
        refused=refused,
    )


@blueprint.post("/<token>")
@rate_limited("answer", link_subject, render_form=_render_form)
def record(token: str) -> ResponseReturnValue:
    view = _load_view(token)
    # Whether it is too late is for the core to say: an open form may be finished.
    if view.closed is None or view.state == "expired":
        try:
            answer.record_answer(
                runtime(), token=token, values=parse_answers(request.form)
            )
        except answer.SurveyClosed:
            return _render_closed(view)
    return redirect(url_for(".survey_page", token=token), HTTPStatus.SEE_OTHER)


@blueprint.post("/<token>/skip")
@rate_limited("answer", link_subject, render_form=_render_form)
def skip(token: str) -> ResponseReturnValue:
    _load_view(token)
    answer.skip_survey(runtime(), token=token)
    return redirect(url_for(".survey_page", token=token), HTTPStatus.SEE_OTHER)


@blueprint.post("/<token>/note")
@rate_limited("answer", link_subject, render_form=_render_form)
def keep_note(token: str) -> ResponseReturnValue:
    """Keep a line beside the answer, or remove the one that is there."""
    view = _load_view(token)
    try:
        own_notes.save_for_survey(
            runtime(), token=token, text=request.form.get("note", "")
        )
    except answer.SurveyClosed:
        return _render_closed(view)
    except own_notes.InvalidNote as error:
        page = _render_form(token, refused=gettext(str(error)))
        return page, HTTPStatus.BAD_REQUEST
    return redirect(url_for(".survey_page", token=token), HTTPStatus.SEE_OTHER)


@blueprint.post("/<token>/own-log")
@rate_limited("answer", link_subject, render_form=_render_form)
def retain(token: str) -> ResponseReturnValue:
    """Keep the run's distance and time as the runner's own, or drop them again."""
    view = _load_view(token)
    if view.closed is None:
        is_retained = request.form.get("keep") == "1"
        retained_runs.set_retained_for_survey(runtime(), token, retain=is_retained)
    return redirect(url_for(".survey_page", token=token), HTTPStatus.SEE_OTHER)


def _render_closed(view: SurveyView) -> ResponseReturnValue:
    status = HTTPStatus.GONE if view.state == "expired" else HTTPStatus.OK
    return render_template("survey/closed.html", survey=view), status


def _load_view(token: str) -> SurveyView:
    survey = answer.load_survey_page(runtime(), token)
    if survey is None:
        # Word for word what a mistyped address gets: nobody learns which exist.
        abort(NOT_FOUND.status)
    activate_locale(survey.language)
    return build_survey_view(survey)
