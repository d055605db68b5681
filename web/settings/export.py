"""Taking everything out: a worker packs it, this page shows how far it is."""

from http import HTTPStatus
from typing import TypedDict

from flask import Blueprint, Response, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sync.language import gettext as _
from sync.portability import exports
from sync.portability.exports import ExportState, ExportStatus
from sync.runners import account
from web.formats import format_datetime
from web.http import session
from web.http.limits import rate_limited, runner_subject
from web.http.session import login_required, require_runner
from web.runtime import runtime

blueprint = Blueprint("export", __name__, url_prefix="/settings/export")


class ExportProgress(TypedDict):
    is_done: bool
    done: int
    steps: int
    text: str


@blueprint.get("")
@login_required
def export_page() -> ResponseReturnValue:
    runner = require_runner()
    packing = exports.load_status(runtime(), runner.runner_id)
    expires_at = packing.expires_at
    return render_template(
        "settings/export.html",
        held=account.count_holdings(runtime(), runner.runner_id),
        packing=packing,
        until=format_datetime(expires_at, runner.zone) if expires_at else "",
        progress=_build_progress(packing),
    )


@blueprint.post("")
@login_required
@rate_limited("export", runner_subject)
def request_export() -> ResponseReturnValue:
    exports.request_export(
        runtime(),
        require_runner().runner_id,
        sign_in_token=session.sign_in_token(),
    )
    return redirect(url_for(".export_page"), HTTPStatus.SEE_OTHER)


@blueprint.get("/progress.json")
@login_required
def progress() -> ResponseReturnValue:
    return jsonify(
        _build_progress(exports.load_status(runtime(), require_runner().runner_id))
    )


@blueprint.get("/moodmiles.zip")
@login_required
def download() -> ResponseReturnValue:
    archive = exports.load_export(runtime(), require_runner().runner_id)
    if archive is None:
        # It is over, or was never asked for: the page says so and what to do.
        return redirect(url_for(".export_page"), HTTPStatus.SEE_OTHER)
    return Response(
        archive,
        content_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="moodmiles.zip"'},
    )


def _build_progress(packing: ExportStatus) -> ExportProgress:
    is_started = packing.done > 0
    return {
        "is_done": packing.state is not ExportState.PACKING,
        "done": packing.done,
        "steps": packing.steps,
        "text": _("Packing.") if is_started else _("Waiting for its turn."),
    }
