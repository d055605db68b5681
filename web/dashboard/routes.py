"""The dashboard of a runner, and its numbers as JSON and CSV."""

from http import HTTPStatus

from flask import (
    Blueprint,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from sync.analytics.dataset.overview import Dashboard, load_dashboard
from sync.language import DEFAULT_LANGUAGE, activate_language
from sync.runners import account
from sync.surveys.answering import answer
from sync.surveys.instruments import InvalidAnswer
from sync.vocabulary import Mood
from web.dashboard import tables
from web.dashboard.all_figures import load_all_figures
from web.dashboard.chart_cache import load_charts
from web.dashboard.context import DashboardContext
from web.dashboard.encoded_files import respond_with_file
from web.dashboard.filters import PERIODS, SORTS, limit_to_period, parse_filter
from web.dashboard.findings import MIN_ANSWERS_FOR_FIGURES, load_findings
from web.dashboard.main_charts import render_read_outs
from web.dashboard.progress import build_progress
from web.dashboard.run_links import drop_unknown_group
from web.dashboard.views import build_dashboard_view
from web.formats import parse_unit
from web.help.local_support import find_local_support
from web.http import session
from web.http.limits import rate_limited, runner_subject
from web.http.session import login_required, require_runner
from web.landing.example import draw_example
from web.runtime import runtime

_SUPPORT_COOKIE, _SUPPORT_COOKIE_DAYS = "support", 14

blueprint = Blueprint("dashboard", __name__, url_prefix="/dashboard")


@blueprint.get("")
@login_required
def dashboard_page() -> ResponseReturnValue:
    runner = require_runner()
    overview = account.load_overview(runtime(), runner.runner_id)
    data, context = _load_data(), _build_context()
    run_filter, findings = parse_filter(request.args), None
    if len(data.answered_runs) >= MIN_ANSWERS_FOR_FIGURES:
        findings = load_findings(
            runtime(), runner.runner_id, context.unit, group=run_filter.group
        )
    run_filter = drop_unknown_group(run_filter, findings.panels if findings else ())
    import_state = overview.importing
    return render_template(
        "dashboard/dashboard.html",
        view=build_dashboard_view(
            data,
            findings,
            run_filter=run_filter,
            context=context,
            link=overview.link_stage,
        ),
        drawn=load_charts(data, findings, period=run_filter.period, context=context),
        wanted=run_filter,
        periods=PERIODS,
        sorts=SORTS,
        found=findings,
        support=None if session.get_cookie(_SUPPORT_COOKIE) else find_local_support(),
        account=overview,
        progress=(
            build_progress(import_state, runner.zone)
            if import_state and not import_state.is_done
            else None
        ),
        example=None if data.answered_runs else draw_example(),
    )


@blueprint.post("/answer")
@login_required
@rate_limited("answer", runner_subject)
def save_answer() -> ResponseReturnValue:
    """Store the mood chosen on the dashboard for a run of today or yesterday."""
    try:
        run_id = int(request.form.get("run_id", ""))
        mood = Mood.from_tile(int(request.form.get("mood", "")))
    except ValueError:
        raise InvalidAnswer("That is not one of the answers.") from None
    answer.record_run_answer(
        runtime(),
        runner_id=require_runner().runner_id,
        run_id=run_id,
        values={"mood": mood},
    )
    return _redirect_to_dashboard()


@blueprint.post("/support")
@login_required
def hide_support() -> ResponseReturnValue:
    """Hide the helplines for two weeks, in this browser only.

    The server stores nothing about it: that they were shown says how a runner felt.
    """
    session.set_cookie(_SUPPORT_COOKIE, "1", days=_SUPPORT_COOKIE_DAYS)
    return _redirect_to_dashboard()


@blueprint.get("/progress.json")
@login_required
def progress() -> ResponseReturnValue:
    runner = require_runner()
    import_state = account.load_import_progress(runtime(), runner.runner_id)
    if import_state is None:
        return jsonify(is_done=True, runs=0, text="")
    return jsonify(build_progress(import_state, runner.zone))


@blueprint.get("/data.json")
@login_required
def data_json() -> ResponseReturnValue:
    return respond_with_file(
        lambda: tables.build_json(_load_data(), _build_context().load_annotations()),
        content_type="application/json",
    )


@blueprint.get("/read-outs.json")
@login_required
def read_outs_json() -> ResponseReturnValue:
    """Return the read-outs of the dots, which a page with thousands leaves out."""
    context, period = _build_context(), parse_filter(request.args).period
    return respond_with_file(
        lambda: render_read_outs(
            limit_to_period(_load_data(), period).answered_runs,
            context.load_annotations(),
            context.unit,
        ),
        content_type="application/json",
        variant=period,
    )


@blueprint.get("/runs.csv")
@login_required
def runs_csv() -> ResponseReturnValue:
    return respond_with_file(
        lambda: tables.build_runs_csv(
            _load_data(), _build_context().load_annotations()
        ),
        download_name="moodmiles-runs.csv",
    )


@blueprint.get("/weeks.csv")
@login_required
def weeks_csv() -> ResponseReturnValue:
    return respond_with_file(
        lambda: tables.build_weeks_csv(_load_data()),
        download_name="moodmiles-weeks.csv",
    )


@blueprint.get("/panels.csv")
@login_required
def panels_csv() -> ResponseReturnValue:
    context = _build_context()
    with activate_language(DEFAULT_LANGUAGE):
        return respond_with_file(
            lambda: tables.build_panels_csv(
                load_all_figures(runtime(), context.runner_id).panels
            ),
            download_name="moodmiles-questions.csv",
        )


@blueprint.get("/answers.csv")
@login_required
def answers_csv() -> ResponseReturnValue:
    return respond_with_file(
        lambda: tables.build_answers_csv(_load_data()),
        download_name="moodmiles-answers.csv",
    )


def _build_context() -> DashboardContext:
    runner = require_runner()
    return DashboardContext(runtime(), runner.runner_id, parse_unit(runner.units))


def _load_data() -> Dashboard:
    return load_dashboard(runtime(), require_runner().runner_id)


def _redirect_to_dashboard() -> ResponseReturnValue:
    return redirect(url_for(".dashboard_page"), HTTPStatus.SEE_OTHER)
