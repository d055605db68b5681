"""A runner's own page: what they ran, how they felt, and the numbers behind it."""

from http import HTTPStatus

from flask import (
    Blueprint,
    Response,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from sync.analytics.dataset.overview import Dashboard, dashboard
from sync.language import DEFAULT, speaking
from sync.runners import account
from sync.surveys.answering import answer
from sync.surveys.instruments import BadAnswer
from web.dashboard import tables
from web.dashboard.chart_cache import drawn
from web.dashboard.context import Owner
from web.dashboard.filters import PERIODS, SORTS, wanted_in, within
from web.dashboard.findings import FEWEST_FOR_FIGURES, Findings, findings_for
from web.dashboard.main_charts import read_outs
from web.dashboard.progress import progress_of
from web.dashboard.run_links import known
from web.dashboard.views import view_of
from web.formats import Unit, unit_of
from web.help.local_support import nearby
from web.http import session
from web.http.limits import by_runner, limited
from web.http.session import login_required, signed_in
from web.landing.example import example
from web.runtime import runtime

_CLOSED, _CLOSED_DAYS = "support", 14

blueprint = Blueprint("dashboard", __name__, url_prefix="/dashboard")


@blueprint.get("")
@login_required
def dashboard_page() -> ResponseReturnValue:
    runner = signed_in()
    overview = account.overview(runtime(), runner.runner_id)
    data, owner = _data(), _owner()
    found = _found(data, owner.unit)
    wanted = known(wanted_in(request.args), found.panels if found else ())
    importing = overview.importing
    is_importing = importing is not None and not importing.is_done
    return render_template(
        "dashboard/dashboard.html",
        view=view_of(
            data, found, wanted=wanted, owner=owner, is_importing=is_importing
        ),
        drawn=drawn(data, found, period=wanted.period, owner=owner),
        wanted=wanted,
        periods=PERIODS,
        sorts=SORTS,
        found=found,
        support=None if session.noted(_CLOSED) else nearby(),
        account=overview,
        progress=(
            progress_of(importing, runner.zone) if importing and is_importing else None
        ),
        example=None if data.answered_runs else example(),
    )


@blueprint.post("/answer")
@login_required
@limited("answer", by_runner)
def give_answer() -> ResponseReturnValue:
    """Keep the mood chosen in place for a run of today or yesterday."""
    try:
        run_id = int(request.form.get("run_id", ""))
        mood = int(request.form.get("mood", "")) - 3
    except ValueError:
        raise BadAnswer("That is not one of the answers.") from None
    answer.record_for_run(
        runtime(),
        runner_id=signed_in().runner_id,
        run_id=run_id,
        values={"mood": mood},
    )
    return _home()


@blueprint.post("/support")
@login_required
def close_support() -> ResponseReturnValue:
    """Put the lines to talk to away for two weeks, in this browser only.

    The server keeps nothing about it: that they were shown says how someone felt.
    """
    session.note(_CLOSED, "1", days=_CLOSED_DAYS)
    return _home()


@blueprint.get("/progress.json")
@login_required
def progress() -> ResponseReturnValue:
    runner = signed_in()
    importing = account.progress(runtime(), runner.runner_id)
    if importing is None:
        return jsonify(is_done=True, runs=0, text="")
    return jsonify(progress_of(importing, runner.zone))


@blueprint.get("/data.json")
@login_required
def data_json() -> ResponseReturnValue:
    return jsonify(tables.as_json(_data(), _owner().asides()))


@blueprint.get("/read-outs.json")
@login_required
def read_outs_json() -> ResponseReturnValue:
    """Say of each dot what the page leaves out when there are thousands."""
    owner = _owner()
    answered = within(_data(), wanted_in(request.args).period).answered_runs
    said = read_outs(answered, owner.asides(), owner.unit)
    return Response(said, content_type="application/json")


@blueprint.get("/runs.csv")
@login_required
def runs_csv() -> ResponseReturnValue:
    text = tables.runs_csv(_data(), _owner().asides())
    return tables.csv_file(text, "moodmiles-runs.csv")


@blueprint.get("/weeks.csv")
@login_required
def weeks_csv() -> ResponseReturnValue:
    return tables.csv_file(tables.weeks_csv(_data()), "moodmiles-weeks.csv")


@blueprint.get("/panels.csv")
@login_required
def panels_csv() -> ResponseReturnValue:
    with speaking(DEFAULT):
        found = findings_for(
            runtime(), signed_in().runner_id, unit_of(signed_in().units)
        )
    return tables.csv_file(tables.panels_csv(found), "moodmiles-questions.csv")


@blueprint.get("/answers.csv")
@login_required
def answers_csv() -> ResponseReturnValue:
    return tables.csv_file(tables.answers_csv(_data()), "moodmiles-answers.csv")


def _owner() -> Owner:
    runner = signed_in()
    return Owner(runtime(), runner.runner_id, unit_of(runner.units))


def _data() -> Dashboard:
    return dashboard(runtime(), signed_in().runner_id)


def _found(data: Dashboard, unit: Unit) -> Findings | None:
    if len(data.answered_runs) < FEWEST_FOR_FIGURES:
        return None
    return findings_for(runtime(), signed_in().runner_id, unit)


def _home() -> ResponseReturnValue:
    return redirect(url_for(".dashboard_page"), HTTPStatus.SEE_OTHER)
