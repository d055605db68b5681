"""What is kept, why, and for how long, filled in from the host's settings."""

from email.utils import parseaddr

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from web.runtime import runtime

blueprint = Blueprint("privacy", __name__)


@blueprint.get("/privacy")
def privacy() -> ResponseReturnValue:
    settings = runtime().settings
    return render_template(
        "privacy.html",
        contact=parseaddr(settings.mail_from)[1],
        retention_days=settings.strava_retention_days,
    )
