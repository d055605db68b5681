"""The privacy notice with the host's settings, and security.txt."""

from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue

from sync.settings import Settings
from web.runtime import runtime

blueprint = Blueprint("privacy", __name__)
_VALID_FOR = timedelta(days=180)


@blueprint.get("/privacy")
def privacy() -> ResponseReturnValue:
    settings = runtime().settings
    return render_template(
        "privacy.html",
        operator=settings.operator,
        contact=_contact(settings),
        contact_url=_contact_url(settings),
        retention_days=settings.strava_retention_days,
    )


@blueprint.get("/.well-known/security.txt")
def security_txt() -> ResponseReturnValue:
    """Return where to report a weakness (RFC 9116)."""
    settings = runtime().settings
    if not settings.contact:
        abort(HTTPStatus.NOT_FOUND)
    expires_at = runtime().now() + _VALID_FOR
    lines = (
        f"Contact: {_contact_url(settings)}",
        f"Expires: {expires_at:%Y-%m-%dT00:00:00Z}",
        f"Canonical: {settings.public_url}/.well-known/security.txt",
    )
    return Response("\n".join((*lines, "")), content_type="text/plain; charset=utf-8")


def _contact(settings: Settings) -> str:
    return settings.contact or settings.sender.address


def _contact_url(settings: Settings) -> str:
    contact = _contact(settings)
    return contact if contact.startswith("https://") else f"mailto:{contact}"
