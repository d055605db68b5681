"""The longer look every four weeks: a page, never a mail."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.analytics.dataset.overview import Dashboard, dashboard
from sync.language import gettext
from sync.surveys.answering import wellbeing
from sync.surveys.instruments import BadAnswer
from web.dashboard.tables import csv_file, to_csv
from web.formats import unit_of
from web.help.local_support import nearby
from web.http.limits import by_runner, limited
from web.http.session import login_required, signed_in
from web.runtime import runtime
from web.wellbeing.views import line_view, looks

blueprint = Blueprint("wellbeing", __name__, url_prefix="/wellbeing")


@blueprint.get("")
@login_required
def wellbeing_page() -> ResponseReturnValue:
    return _page()


@blueprint.post("")
@login_required
@limited("answer", by_runner)
def record() -> ResponseReturnValue:
    runner_id = signed_in().runner_id
    try:
        said = {k: int(v) for k, v in request.form.items() if k.startswith("who5_")}
        wellbeing.record(runtime(), runner_id, said)
    except (ValueError, BadAnswer):
        refused = gettext("Please answer all five: nothing was saved yet.")
        return _page(refused=refused), HTTPStatus.BAD_REQUEST
    except wellbeing.NotNow:
        pass  # the page itself says when it opens
    return redirect(url_for(".wellbeing_page"), HTTPStatus.SEE_OTHER)


@blueprint.get("/own-line.csv")
@login_required
def own_line_csv() -> ResponseReturnValue:
    runner = signed_in()
    page = wellbeing.look(runtime(), runner.runner_id)
    rows = [
        (
            look.day.isoformat(),
            look.value,
            None if look.month_m is None else round(look.month_m, 1),
        )
        for look in looks(page.points, _runs(), runner.zone)
    ]
    text = to_csv(("local_date", "own_line_0_to_100", "distance_28d_m"), rows)
    return csv_file(text, "moodmiles-own-line.csv")


def _page(*, refused: str = "") -> str:
    runner = signed_in()
    page = wellbeing.look(runtime(), runner.runner_id)
    data = _runs() if page.points else None
    found = looks(page.points, data, runner.zone)
    unit = unit_of(runner.units)
    return render_template(
        "wellbeing/wellbeing.html",
        page=page,
        line=line_view(found, data, unit),
        unit=unit,
        support=nearby(),
        refused=refused,
    )


def _runs() -> Dashboard | None:
    """Return the runs to add up; None where they do not stay for 28 days and more."""
    if runtime().settings.strava_retention_days is not None:
        return None
    return dashboard(runtime(), signed_in().runner_id)
