"""Leaving: what goes is shown first, then it goes, and a deletion can be undone."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sync.runners import account, deletion
from sync.runners import disconnect as leave
from web.http.session import login_required, signed_in
from web.runtime import runtime

blueprint = Blueprint("leaving", __name__, url_prefix="/settings")


@blueprint.get("/disconnect")
@login_required
def disconnect_page() -> ResponseReturnValue:
    held = account.holdings(runtime(), signed_in().runner_id)
    return render_template("settings/disconnect.html", held=held)


@blueprint.post("/disconnect")
@login_required
def disconnect() -> ResponseReturnValue:
    leave.disconnect(runtime(), signed_in().runner_id)
    return render_template("settings/disconnected.html")


@blueprint.get("/delete")
@login_required
def delete_page() -> ResponseReturnValue:
    """Show what would go, or until when it can be undone."""
    if signed_in().erase_at is not None:
        return render_template("settings/going.html")
    held = account.holdings(runtime(), signed_in().runner_id)
    return render_template("settings/delete.html", held=held)


@blueprint.post("/delete")
@login_required
def delete() -> ResponseReturnValue:
    deletion.ask(runtime(), signed_in().runner_id)
    return redirect(url_for(".delete_page"), HTTPStatus.SEE_OTHER)


@blueprint.post("/delete/undo")
@login_required
def undo() -> ResponseReturnValue:
    if not deletion.undo(runtime(), signed_in().runner_id):
        return render_template("settings/link_over.html"), HTTPStatus.GONE
    return render_template("settings/kept.html")
