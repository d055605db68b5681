"""The longer look every four weeks: a page, never a mail."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.language import gettext
from sync.surveys import wellbeing
from sync.surveys.instruments import BadAnswer
from web.help.nearby import nearby
from web.limits import by_runner, limited
from web.runtime import runtime
from web.session import login_required, signed_in

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


def _page(*, refused: str = "") -> str:
    return render_template(
        "wellbeing/wellbeing.html",
        page=wellbeing.look(runtime(), signed_in().runner_id),
        support=nearby(),
        refused=refused,
    )
