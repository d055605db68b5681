"""The pages on which an address is given, confirmed, and taken back."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.errors import CodeMissing, InvalidAddress
from sync.language import gettext
from sync.runners import address, browser_sessions, sign_in_changes
from sync.runners.address import AskingBrowser
from web.http import session
from web.http.limits import link_subject, rate_limited, runner_subject
from web.http.session import login_required, require_runner
from web.runtime import runtime
from web.settings.browser_sessions import localize_browser_name

blueprint = Blueprint("email", __name__)


@blueprint.get("/email")
@login_required
def address_page() -> ResponseReturnValue:
    return render_template("email/address.html")


def _render_form(*, refused: str) -> str:
    email = request.form.get("email", "")
    return render_template("email/address.html", email=email, refused=refused)


@blueprint.post("/email")
@login_required
@rate_limited("address", runner_subject, render_form=_render_form)
def request_confirmation() -> ResponseReturnValue:
    """Send a confirmation link to the address given."""
    email = request.form.get("email", "")
    try:
        address.request_confirmation(
            runtime(),
            runner_id=require_runner().runner_id,
            email=email,
            asked_in=AskingBrowser(
                sign_in_token=session.sign_in_token(),
                browser_token=session.browser_token(),
            ),
        )
    except InvalidAddress as error:
        return _render_form(refused=gettext(str(error))), HTTPStatus.BAD_REQUEST
    return redirect(url_for(".sent_page"), HTTPStatus.SEE_OTHER)


@blueprint.get("/email/sent")
@login_required
def sent_page() -> ResponseReturnValue:
    """Show the code that another browser asks for where the link is opened."""
    code = address.load_code(runtime(), token=session.sign_in_token())
    return render_template("email/sent.html", code=code)


@blueprint.get("/email/confirm/<token>")
def confirm_page(token: str) -> ResponseReturnValue:
    """Show a button: programs that open every link must not confirm anything."""
    return _render_confirmation(token)


@blueprint.post("/email/confirm/<token>")
@rate_limited("confirm", link_subject)
def confirm(token: str) -> ResponseReturnValue:
    try:
        runner_id = address.confirm_address(
            runtime(),
            token=token,
            browser=session.browser_token(),
            code=request.form.get("code", ""),
        )
    except CodeMissing:
        return _render_confirmation(token, wrong_code=True)
    if runner_id is None:
        return render_template("email/link_expired.html"), HTTPStatus.GONE
    runner = session.current_runner()
    is_own = runner is not None and runner.runner_id == runner_id
    sign_ins = (
        browser_sessions.list_browsers(
            runtime(), runner_id, token=session.sign_in_token()
        )
        if is_own
        else []
    )
    return render_template(
        "email/confirmed.html", is_own=is_own, others=len(sign_ins) - 1
    )


def _render_confirmation(
    token: str, *, wrong_code: bool = False
) -> ResponseReturnValue:
    pending = address.load_confirmation(
        runtime(), token=token, browser=session.browser_token()
    )
    if pending is None:
        return render_template("email/link_expired.html"), HTTPStatus.GONE
    page = render_template(
        "email/confirm.html",
        token=token,
        pending=pending,
        browser=localize_browser_name(pending.browser) if pending.browser else "",
        wrong_code=wrong_code,
    )
    return page, HTTPStatus.BAD_REQUEST if wrong_code else HTTPStatus.OK


@blueprint.get("/address/undo/<token>")
def undo_page(token: str) -> ResponseReturnValue:
    """Show a button: programs that open every link must not undo anything."""
    return render_template("email/undo.html", token=token)


@blueprint.post("/address/undo/<token>")
@rate_limited("account_link", link_subject)
def undo(token: str) -> ResponseReturnValue:
    """Bring the former address back; whoever holds its mail needs no sign-in."""
    if sign_in_changes.undo_change(runtime(), token=token) is None:
        return render_template("email/undo_over.html"), HTTPStatus.GONE
    session.logout()
    return render_template("email/undone.html")
