"""The pages on which a runner gives an e-mail address and confirms it."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.errors import InvalidAddress
from sync.language import gettext
from sync.runners import address
from web.http.limits import link_subject, rate_limited, runner_subject
from web.http.session import login_required, require_runner
from web.runtime import runtime

blueprint = Blueprint("email", __name__, url_prefix="/email")


@blueprint.get("")
@login_required
def address_page() -> ResponseReturnValue:
    return render_template("email/address.html", sent="sent" in request.args)


def _render_form(*, refused: str) -> str:
    email = request.form.get("email", "")
    return render_template(
        "email/address.html", sent=False, email=email, refused=refused
    )


@blueprint.post("")
@login_required
@rate_limited("address", runner_subject, render_form=_render_form)
def request_confirmation() -> ResponseReturnValue:
    """Send a confirmation link to the address given."""
    email = request.form.get("email", "")
    try:
        address.request_confirmation(
            runtime(), runner_id=require_runner().runner_id, email=email
        )
    except InvalidAddress as error:
        return _render_form(refused=gettext(str(error))), HTTPStatus.BAD_REQUEST
    return redirect(url_for(".address_page", sent=1), HTTPStatus.SEE_OTHER)


@blueprint.get("/confirm/<token>")
def confirm_page(token: str) -> ResponseReturnValue:
    """Show a button: programs that open every link must not confirm anything."""
    return render_template("email/confirm.html", token=token)


@blueprint.post("/confirm/<token>")
@rate_limited("confirm", link_subject)
def confirm(token: str) -> ResponseReturnValue:
    if address.confirm_address(runtime(), token=token) is None:
        return render_template("email/link_expired.html"), HTTPStatus.GONE
    return render_template("email/confirmed.html")
