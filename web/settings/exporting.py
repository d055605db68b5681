"""Taking everything out: what it holds, and the file itself."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from sync.analytics.takeout import take_out
from sync.runners import account
from web.runtime import runtime
from web.session import login_required, signed_in

blueprint = Blueprint("exporting", __name__, url_prefix="/settings/export")


@blueprint.get("")
@login_required
def export_page() -> ResponseReturnValue:
    held = account.holdings(runtime(), signed_in().runner_id)
    return render_template("settings/export.html", held=held)


@blueprint.post("")
@login_required
def export() -> ResponseReturnValue:
    return Response(
        take_out(runtime(), signed_in().runner_id),
        content_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="moodmiles.zip"'},
    )
