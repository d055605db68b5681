"""Taking everything out: a worker packs it, this page shows how far it is."""

from http import HTTPStatus
from typing import TypedDict

from flask import Blueprint, Response, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sync.language import gettext as _
from sync.portability import exports
from sync.portability.exports import Packing, State
from sync.runners import account
from web.formats import moment
from web.http.limits import by_runner, limited
from web.http.session import login_required, signed_in
from web.runtime import runtime

blueprint = Blueprint("exporting", __name__, url_prefix="/settings/export")


class Progress(TypedDict):
    is_done: bool
    done: int
    steps: int
    text: str


@blueprint.get("")
@login_required
def export_page() -> ResponseReturnValue:
    runner = signed_in()
    packing = exports.look(runtime(), runner.runner_id)
    until = packing.expires_at
    return render_template(
        "settings/export.html",
        held=account.holdings(runtime(), runner.runner_id),
        packing=packing,
        until=moment(until, runner.zone) if until else "",
        progress=_progress(packing),
    )


@blueprint.post("")
@login_required
@limited("export", by_runner)
def export() -> ResponseReturnValue:
    exports.ask(runtime(), signed_in().runner_id)
    return redirect(url_for(".export_page"), HTTPStatus.SEE_OTHER)


@blueprint.get("/progress.json")
@login_required
def progress() -> ResponseReturnValue:
    return jsonify(_progress(exports.look(runtime(), signed_in().runner_id)))


@blueprint.get("/moodmiles.zip")
@login_required
def download() -> ResponseReturnValue:
    packed = exports.fetch(runtime(), signed_in().runner_id)
    if packed is None:
        # It is over, or was never asked for: the page says so and what to do.
        return redirect(url_for(".export_page"), HTTPStatus.SEE_OTHER)
    return Response(
        packed,
        content_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="moodmiles.zip"'},
    )


def _progress(packing: Packing) -> Progress:
    has_begun = packing.done > 0
    return {
        "is_done": packing.state is not State.PACKING,
        "done": packing.done,
        "steps": packing.steps,
        "text": _("Packing.") if has_begun else _("Waiting for its turn."),
    }
