"""Leaving: what goes is shown first, then it goes, and a deletion can be undone."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sync.runners import account, deletion
from sync.runners import disconnect as leave
from web.formats import format_datetime
from web.http.session import login_required, require_runner
from web.http.sign_in_needs import ask_to_sign_in_again
from web.runtime import runtime

blueprint = Blueprint("disconnect_and_delete", __name__, url_prefix="/settings")


@blueprint.get("/disconnect")
@login_required
def disconnect_page() -> ResponseReturnValue:
    holdings = account.count_holdings(runtime(), require_runner().runner_id)
    return render_template("settings/disconnect.html", held=holdings)


@blueprint.post("/disconnect")
@login_required
def disconnect() -> ResponseReturnValue:
    leave.disconnect(runtime(), require_runner().runner_id)
    return render_template("settings/disconnected.html")


@blueprint.get("/delete")
@login_required
def delete_page() -> ResponseReturnValue:
    """Show what would go, or until when it can be undone."""
    runner = require_runner()
    if runner.erase_at is not None:
        return render_template(
            "settings/going.html",
            until=format_datetime(runner.erase_at, runner.zone),
            waits=runner.erase_at - runtime().now() > deletion.UNDO_WINDOW,
        )
    if not runner.is_fresh:
        return ask_to_sign_in_again()
    holdings = account.count_holdings(runtime(), runner.runner_id)
    return render_template("settings/delete.html", held=holdings)


@blueprint.post("/delete")
@login_required
def request_deletion() -> ResponseReturnValue:
    deletion.request_deletion(runtime(), require_runner().runner_id)
    return redirect(url_for(".delete_page"), HTTPStatus.SEE_OTHER)


@blueprint.post("/delete/undo")
@login_required
def undo_deletion() -> ResponseReturnValue:
    if not deletion.cancel_deletion(runtime(), require_runner().runner_id):
        return render_template("settings/link_over.html"), HTTPStatus.GONE
    return render_template("settings/kept.html")
