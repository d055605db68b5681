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

from sync.mail.mailbox import Mailbox, ReceivedEmail
from web.runtime import runtime

blueprint = Blueprint(
    "mailbox", __name__, url_prefix="/mailbox", static_folder="static"
)

_VIEWS = ("html", "text", "headers")
_SANDBOX_FLAGS = (
    "allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation"
)
# A mail may colour itself and be followed by a person; nothing else.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    f"frame-ancestors 'self'; sandbox {_SANDBOX_FLAGS}"
)


@blueprint.before_request
def require_mailbox() -> None:
    if not runtime().settings.shows_mailbox:
        abort(HTTPStatus.NOT_FOUND)


@blueprint.get("")
def emails_page() -> ResponseReturnValue:
    query = request.args.get("q", "").strip()
    emails = _open_mailbox().find_emails(query)
    return render_template("mailbox/letters.html", letters=emails, query=query)


@blueprint.get("/<key>")
def email_page(key: str) -> ResponseReturnValue:
    view = request.args.get("view", _VIEWS[0])
    return render_template(
        "mailbox/letter.html",
        letter=_load_email(key),
        view=view if view in _VIEWS else _VIEWS[0],
        freedoms=_SANDBOX_FLAGS,
    )


@blueprint.get("/<key>/html")
def email_html(key: str) -> Response:
    """Return the mail's own HTML for the frame around it."""
    response = make_response(_open_links_in_top_frame(_load_email(key).html))
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    return response


@blueprint.post("/clear")
def clear() -> ResponseReturnValue:
    _open_mailbox().clear()
    return redirect(url_for(".emails_page"), HTTPStatus.SEE_OTHER)


def _open_mailbox() -> Mailbox:
    folder = runtime().settings.mailbox_dir
    if folder is None:
        abort(HTTPStatus.NOT_FOUND)
    return Mailbox(folder)


def _load_email(key: str) -> ReceivedEmail:
    return _open_mailbox().load_email(key) or abort(HTTPStatus.NOT_FOUND)


def _open_links_in_top_frame(html: str) -> str:
    """Let links leave the frame, as they leave a mail program for the browser."""
    return html.replace("<a ", '<a target="_top" ')
