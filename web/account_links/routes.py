"""Links in mails that keep an account: they undo a deletion, or answer a warning.

The mailbox owns the account, so they need no sign-in.  They show a button first:
programs that open every link in a mail change nothing.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from sync.runners import deletion, inactivity
from sync.runtime import Runtime
from web.http.limits import link_subject, rate_limited
from web.runtime import runtime

blueprint = Blueprint("account_links", __name__)

_ACTIONS: Mapping[str, Callable[[Runtime, str], bool]] = {
    "undo": deletion.cancel_by_link,
    "stay": inactivity.keep_account,
}


@blueprint.get("/<any(undo, stay):action>/<token>")
def confirm_page(action: str, token: str) -> ResponseReturnValue:
    return render_template("settings/keep.html", action=action, token=token)


@blueprint.post("/<any(undo, stay):action>/<token>")
@rate_limited("account_link", link_subject)
def confirm(action: str, token: str) -> ResponseReturnValue:
    if not _ACTIONS[action](runtime(), token):
        return render_template("settings/link_over.html"), HTTPStatus.GONE
    return render_template("settings/kept.html")
