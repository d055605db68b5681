"""The five questions every four weeks: a page, never a mail."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.analytics.dataset.overview import Dashboard, load_dashboard
from sync.language import gettext
from sync.safe_csv import write_csv
from sync.surveys.answering import wellbeing
from sync.surveys.instruments import InvalidAnswer
from web.dashboard.tables import csv_response
from web.formats import parse_unit
from web.help.local_support import find_local_support
from web.http.limits import rate_limited, runner_subject
from web.http.session import login_required, require_runner
from web.runtime import runtime
from web.wellbeing.views import build_line_view, build_points

blueprint = Blueprint("wellbeing", __name__, url_prefix="/wellbeing")


@blueprint.get("")
@login_required
def wellbeing_page() -> ResponseReturnValue:
    return _render_page()


@blueprint.post("")
@login_required
@rate_limited("answer", runner_subject)
def record() -> ResponseReturnValue:
    runner_id = require_runner().runner_id
    try:
        values = {k: int(v) for k, v in request.form.items() if k.startswith("who5_")}
        wellbeing.record_answers(runtime(), runner_id, values)
    except (ValueError, InvalidAnswer):
        refused = gettext("Please answer all five: nothing was saved yet.")
        return _render_page(refused=refused), HTTPStatus.BAD_REQUEST
    except wellbeing.WellbeingNotDue:
        pass  # the page itself says when it opens
    return redirect(url_for(".wellbeing_page"), HTTPStatus.SEE_OTHER)


@blueprint.get("/own-line.csv")
@login_required
def own_line_csv() -> ResponseReturnValue:
    runner = require_runner()
    page = wellbeing.load_page(runtime(), runner.runner_id)
    rows = [
        (
            point.day.isoformat(),
            point.value,
            None if point.month_m is None else round(point.month_m, 1),
        )
        for point in build_points(page.points, _load_runs(), runner.zone)
    ]
    text = write_csv(("local_date", "own_line_0_to_100", "distance_28d_m"), rows)
    return csv_response(text, "moodmiles-own-line.csv")


def _render_page(*, refused: str = "") -> str:
    runner = require_runner()
    page = wellbeing.load_page(runtime(), runner.runner_id)
    data = _load_runs() if page.points else None
    points = build_points(page.points, data, runner.zone)
    unit = parse_unit(runner.units)
    return render_template(
        "wellbeing/wellbeing.html",
        page=page,
        line=build_line_view(points, data, unit),
        unit=unit,
        support=find_local_support(),
        refused=refused,
    )


def _load_runs() -> Dashboard | None:
    """Return the runs to add up; None where the host deletes them after some days."""
    if runtime().settings.strava_retention_days is not None:
        return None
    return load_dashboard(runtime(), require_runner().runner_id)
