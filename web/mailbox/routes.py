"""The mails that the embedded mailbox took: list, look, search, clear."""

from http import HTTPStatus

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from sync.mail.mailbox import Letter, Mailbox
from web.runtime import runtime

blueprint = Blueprint(
    "mailbox", __name__, url_prefix="/mailbox", static_folder="static"
)

_VIEWS = ("html", "text", "headers")
_FREEDOMS = (
    "allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation"
)
# A mail may colour itself and be followed by a person; nothing else.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    f"frame-ancestors 'self'; sandbox {_FREEDOMS}"
)


@blueprint.before_request
def hide_where_people_can_reach_it() -> None:
    if not runtime().settings.shows_mailbox:
        abort(HTTPStatus.NOT_FOUND)


@blueprint.get("")
def letters() -> ResponseReturnValue:
    query = request.args.get("q", "").strip()
    found = _mailbox().letters(query)
    return render_template("mailbox/letters.html", letters=found, query=query)


@blueprint.get("/<key>")
def letter(key: str) -> ResponseReturnValue:
    view = request.args.get("view", _VIEWS[0])
    return render_template(
        "mailbox/letter.html",
        letter=_letter(key),
        view=view if view in _VIEWS else _VIEWS[0],
        freedoms=_FREEDOMS,
    )


@blueprint.get("/<key>/html")
def letter_html(key: str) -> Response:
    """Return the mail's own HTML for the frame around it."""
    response = make_response(_led_out_of_the_frame(_letter(key).html))
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    return response


@blueprint.post("/clear")
def clear() -> ResponseReturnValue:
    _mailbox().clear()
    return redirect(url_for(".letters"), HTTPStatus.SEE_OTHER)


def _mailbox() -> Mailbox:
    folder = runtime().settings.mailbox_dir
    if folder is None:
        abort(HTTPStatus.NOT_FOUND)
    return Mailbox(folder)


def _letter(key: str) -> Letter:
    return _mailbox().letter(key) or abort(HTTPStatus.NOT_FOUND)


def _led_out_of_the_frame(html: str) -> str:
    """Let links leave the frame, as they leave a mail program for the browser."""
    return html.replace("<a ", '<a target="_top" ')
