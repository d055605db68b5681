"""A run's own page: what it was, why we asked or not, and what the runner said."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.language import gettext
from sync.runs.duplicates import choose_recording
from sync.surveys.answering import answer, own_notes, retained_runs, run_detail
from sync.surveys.answering.run_detail import RunDetail
from web.formats import parse_unit
from web.http import csrf
from web.http.limits import rate_limited, runner_subject
from web.http.problems import NOT_FOUND
from web.http.session import login_required, require_runner
from web.runs.views import build_run_page
from web.runtime import runtime
from web.survey.retained_runs import build_retained_run_view
from web.survey.views import parse_answers

blueprint = Blueprint("runs", __name__, url_prefix="/runs")


@blueprint.get("/<int:run_id>")
@login_required
def run_page(run_id: int) -> ResponseReturnValue:
    return _render_run(run_id)


def _render_run(run_id: int, *, refused: str = "", draft: str | None = None) -> str:
    """Show the run; `draft` is a line that was refused."""
    detail, runner = _load_run(run_id), require_runner()
    unit = parse_unit(runner.units)
    retained_run = retained_runs.load_offer_for_run(runtime(), runner.runner_id, run_id)
    return render_template(
        "runs/run.html",
        run=build_run_page(detail, unit, zone=runner.zone),
        own=build_retained_run_view(retained_run, unit),
        refused=refused,
        draft=draft,
    )


@blueprint.post("/<int:run_id>")
@login_required
@rate_limited("answer", runner_subject)
def save_answer(run_id: int) -> ResponseReturnValue:
    """Keep an answer, or change one, while the run can be answered."""
    _load_run(run_id)
    answer.record_run_answer(
        runtime(),
        runner_id=require_runner().runner_id,
        run_id=run_id,
        values=parse_answers(_answer_fields(request.form)),
    )
    return _redirect_to_run(run_id)


def _render_note_form(run_id: int, *, refused: str) -> str:
    return _render_run(run_id, refused=refused, draft=request.form.get("note", ""))


@blueprint.post("/<int:run_id>/note")
@login_required
@rate_limited("answer", runner_subject, render_form=_render_note_form)
def keep_note(run_id: int) -> ResponseReturnValue:
    """Keep a line beside the answer, or remove the one that is there."""
    _load_run(run_id)
    try:
        own_notes.save_for_run(
            runtime(),
            runner_id=require_runner().runner_id,
            run_id=run_id,
            text=request.form.get("note", ""),
        )
    except own_notes.InvalidNote as error:
        page = _render_note_form(run_id, refused=gettext(str(error)))
        return page, HTTPStatus.BAD_REQUEST
    return _redirect_to_run(run_id)


@blueprint.get("/<int:run_id>/remove")
@login_required
def remove_page(run_id: int) -> ResponseReturnValue:
    detail, runner = _load_run(run_id), require_runner()
    if detail.mood is None:
        return _redirect_to_run(run_id)
    view = build_run_page(detail, parse_unit(runner.units), zone=runner.zone)
    return render_template("runs/remove.html", run=view)


@blueprint.post("/<int:run_id>/remove")
@login_required
@rate_limited("answer", runner_subject)
def remove(run_id: int) -> ResponseReturnValue:
    _load_run(run_id)
    run_detail.delete_answer(runtime(), require_runner().runner_id, run_id)
    return _redirect_to_run(run_id)


@blueprint.post("/<int:run_id>/own-log")
@login_required
@rate_limited("answer", runner_subject)
def retain(run_id: int) -> ResponseReturnValue:
    """Keep distance and time as the runner's own, or drop them again."""
    _load_run(run_id)
    is_retained = request.form.get("keep") == "1"
    runner_id = require_runner().runner_id
    retained_runs.set_retained_for_run(runtime(), runner_id, run_id, retain=is_retained)
    return _redirect_to_run(run_id)


@blueprint.post("/<int:run_id>/count")
@login_required
@rate_limited("answer", runner_subject)
def set_counted_recording(run_id: int) -> ResponseReturnValue:
    """Let this recording count instead of the others of the same run."""
    _load_run(run_id)
    choose_recording(runtime(), require_runner().runner_id, run_id)
    return _redirect_to_run(run_id)


def _load_run(run_id: int) -> RunDetail:
    detail = run_detail.load_run_detail(runtime(), require_runner().runner_id, run_id)
    if detail is None:
        # The same for a run of someone else and one that never was.
        abort(NOT_FOUND.status)
    return detail


def _answer_fields(form: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in form.items() if key != csrf.FIELD_NAME}


def _redirect_to_run(run_id: int) -> ResponseReturnValue:
    """Return to the run; one that was only in the own log may be gone with it."""
    if (
        run_detail.load_run_detail(runtime(), require_runner().runner_id, run_id)
        is None
    ):
        return redirect(url_for("dashboard.dashboard_page"), HTTPStatus.SEE_OTHER)
    return redirect(url_for(".run_page", run_id=run_id), HTTPStatus.SEE_OTHER)
