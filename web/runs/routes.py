"""A run's own page: what it was, why we asked or not, and what the runner said."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.runs.duplicates import choose_recording
from sync.surveys.answering import answer, retained_runs, run_detail
from sync.surveys.answering.run_detail import OwnRun
from web.formats import unit_of
from web.http import csrf
from web.http.limits import by_runner, limited
from web.http.problems import NOT_FOUND
from web.http.session import login_required, signed_in
from web.runs.views import view_of
from web.runtime import runtime
from web.survey.retained_runs import own_log_view
from web.survey.views import chosen

blueprint = Blueprint("runs", __name__, url_prefix="/runs")


@blueprint.get("/<int:run_id>")
@login_required
def run_page(run_id: int) -> ResponseReturnValue:
    run, runner = _own(run_id), signed_in()
    unit = unit_of(runner.units)
    own = retained_runs.of_run(runtime(), runner.runner_id, run_id)
    return render_template(
        "runs/run.html",
        run=view_of(run, unit, zone=runner.zone),
        own=own_log_view(own, unit),
    )


@blueprint.post("/<int:run_id>")
@login_required
@limited("answer", by_runner)
def give_answer(run_id: int) -> ResponseReturnValue:
    """Keep an answer, or change one, while the run can be answered."""
    _own(run_id)
    answer.record_for_run(
        runtime(),
        runner_id=signed_in().runner_id,
        run_id=run_id,
        values=chosen(_answers(request.form)),
    )
    return _back(run_id)


@blueprint.get("/<int:run_id>/remove")
@login_required
def remove_page(run_id: int) -> ResponseReturnValue:
    run, runner = _own(run_id), signed_in()
    if run.mood is None:
        return _back(run_id)
    view = view_of(run, unit_of(runner.units), zone=runner.zone)
    return render_template("runs/remove.html", run=view)


@blueprint.post("/<int:run_id>/remove")
@login_required
def remove(run_id: int) -> ResponseReturnValue:
    _own(run_id)
    run_detail.remove_answer(runtime(), signed_in().runner_id, run_id)
    return _back(run_id)


@blueprint.post("/<int:run_id>/own-log")
@login_required
@limited("answer", by_runner)
def keep(run_id: int) -> ResponseReturnValue:
    """Keep distance and time as the runner's own, or drop them again."""
    _own(run_id)
    wanted = request.form.get("keep") == "1"
    runner_id = signed_in().runner_id
    retained_runs.keep_for_run(runtime(), runner_id, run_id, keep=wanted)
    return _back(run_id)


@blueprint.post("/<int:run_id>/count")
@login_required
def count(run_id: int) -> ResponseReturnValue:
    """Let this recording count instead of the others of the same run."""
    _own(run_id)
    choose_recording(runtime(), signed_in().runner_id, run_id)
    return _back(run_id)


def _own(run_id: int) -> OwnRun:
    found = run_detail.look(runtime(), signed_in().runner_id, run_id)
    if found is None:
        # The same for a run of someone else and one that never was.
        abort(NOT_FOUND.status)
    return found


def _answers(form: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in form.items() if key != csrf.FIELD}


def _back(run_id: int) -> ResponseReturnValue:
    """Return to the run; one that was only in the own log may be gone with it."""
    if run_detail.look(runtime(), signed_in().runner_id, run_id) is None:
        return redirect(url_for("dashboard.dashboard_page"), HTTPStatus.SEE_OTHER)
    return redirect(url_for(".run_page", run_id=run_id), HTTPStatus.SEE_OTHER)
