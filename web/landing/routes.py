"""The start page, and the few files that a browser asks for by name."""

from flask import Blueprint, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.landing.example import example
from web.pages import asset
from web.session import current_runner

blueprint = Blueprint("landing", __name__)


@blueprint.get("/")
def landing() -> ResponseReturnValue:
    if current_runner() is not None:
        return redirect(url_for("dashboard.dashboard_page"))
    return render_template("landing.html", chart=example())


@blueprint.get("/manifest.webmanifest")
def manifest() -> ResponseReturnValue:
    """Let a phone put Moodmiles on its home screen."""
    icon = {"src": asset("icon.svg"), "type": "image/svg+xml", "sizes": "any"}
    response = jsonify(
        name="Moodmiles",
        short_name="Moodmiles",
        start_url="/dashboard",
        display="standalone",
        background_color="#faf8f4",
        theme_color="#faf8f4",
        icons=[icon],
    )
    response.mimetype = "application/manifest+json"
    return response
