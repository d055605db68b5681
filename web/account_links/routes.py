"""Links in mails that keep an account: they undo a deletion, or answer a warning.

Who reads the mail owns the account, so no sign-in is asked for; programs that open
every link see a button and change nothing.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from sync.runners import deletion, inactivity
from sync.runtime import Runtime
from web.http.limits import by_token, limited
from web.runtime import runtime

blueprint = Blueprint("staying", __name__)

_KEEP: Mapping[str, Callable[[Runtime, str], bool]] = {
    "undo": deletion.undo_by_link,
    "stay": inactivity.stay,
}


@blueprint.get("/<any(undo, stay):thought>/<token>")
def keep_page(thought: str, token: str) -> ResponseReturnValue:
    return render_template("settings/keep.html", thought=thought, token=token)


@blueprint.post("/<any(undo, stay):thought>/<token>")
@limited("staying", by_token)
def keep(thought: str, token: str) -> ResponseReturnValue:
    if not _KEEP[thought](runtime(), token):
        return render_template("settings/link_over.html"), HTTPStatus.GONE
    return render_template("settings/kept.html")
