"""Where to send the question: asked once, confirmed by a link."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.errors import BadAddress
from sync.language import gettext
from sync.runners import address
from web.http.limits import by_runner, by_token, limited
from web.http.session import login_required, signed_in
from web.runtime import runtime

blueprint = Blueprint("email", __name__, url_prefix="/email")


@blueprint.get("")
@login_required
def address_page() -> ResponseReturnValue:
    return render_template("email/address.html", sent="sent" in request.args)


def _form(*, refused: str) -> str:
    email = request.form.get("email", "")
    return render_template(
        "email/address.html", sent=False, email=email, refused=refused
    )


@blueprint.post("")
@login_required
@limited("address", by_runner, again=_form)
def ask() -> ResponseReturnValue:
    """Send a confirmation link to the address given."""
    email = request.form.get("email", "")
    try:
        address.ask(runtime(), runner_id=signed_in().runner_id, email=email)
    except BadAddress as error:
        return _form(refused=gettext(str(error))), HTTPStatus.BAD_REQUEST
    return redirect(url_for(".address_page", sent=1), HTTPStatus.SEE_OTHER)


@blueprint.get("/confirm/<token>")
def confirm_page(token: str) -> ResponseReturnValue:
    """Show a button: programs that open every link must not confirm anything."""
    return render_template("email/confirm.html", token=token)


@blueprint.post("/confirm/<token>")
@limited("confirm", by_token)
def confirm(token: str) -> ResponseReturnValue:
    if address.confirm(runtime(), token=token) is None:
        return render_template("email/link_over.html"), HTTPStatus.GONE
    return render_template("email/confirmed.html")
