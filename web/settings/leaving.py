"""Leaving: what goes is shown first, then it goes."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from sync.runners import account, leave
from web import session
from web.runtime import runtime
from web.session import login_required, signed_in

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
    held = account.holdings(runtime(), signed_in().runner_id)
    return render_template("settings/delete.html", held=held)


@blueprint.post("/delete")
@login_required
def delete() -> ResponseReturnValue:
    leave.delete_everything(runtime(), signed_in().runner_id)
    session.logout()
    return render_template("settings/deleted.html")
