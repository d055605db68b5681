"""The mails that the embedded mailbox took: list, show, search, clear."""

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
from web.http.local_only import require_local_request
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
    require_local_request()


@blueprint.get("")
def emails_page() -> ResponseReturnValue:
    query = request.args.get("q", "").strip()
    emails = _open_mailbox().find_emails(query)
    return render_template("mailbox/emails.html", emails=emails, query=query)


@blueprint.get("/<key>")
def email_page(key: str) -> ResponseReturnValue:
    view = request.args.get("view", _VIEWS[0])
    return render_template(
        "mailbox/email.html",
        email=_load_email(key),
        view=view if view in _VIEWS else _VIEWS[0],
        sandbox_flags=_SANDBOX_FLAGS,
    )


@blueprint.get("/<key>/html")
def email_html(key: str) -> Response:
    """Return the mail's own HTML for the frame around it."""
    # Links leave the frame, as they leave a mail program for the browser.
    html = _load_email(key).html.replace("<a ", '<a target="_top" ')
    response = make_response(html)
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
