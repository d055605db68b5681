"""The start page, and the few files that a browser asks for by name."""

from flask import Blueprint, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sync.language import current_language
from sync.language import gettext as _
from web.http.session import current_runner
from web.landing.example import draw_example, list_example_claims
from web.pages import asset_url

_ICON_SIZES = (192, 512)

blueprint = Blueprint("landing", __name__)


@blueprint.get("/")
def landing() -> ResponseReturnValue:
    if current_runner() is not None:
        return redirect(url_for("dashboard.dashboard_page"))
    return render_template(
        "landing.html", chart=draw_example(), claims=list_example_claims()
    )


@blueprint.get("/manifest.webmanifest")
def manifest() -> ResponseReturnValue:
    """Let a phone put Moodmiles on its home screen."""
    svg_icon = {"src": asset_url("icon.svg"), "type": "image/svg+xml", "sizes": "any"}
    # A maskable icon may be cut round by the phone.
    png_icons = [
        {
            "src": asset_url(f"icon-{size}.png"),
            "type": "image/png",
            "sizes": f"{size}x{size}",
            "purpose": "any maskable",
        }
        for size in _ICON_SIZES
    ]
    response = jsonify(
        id="/",
        name="Moodmiles",
        short_name="Moodmiles",
        description=_("See how your mood goes with your running."),
        lang=current_language(),
        start_url="/dashboard",
        scope="/",
        display="standalone",
        background_color="#faf8f4",
        theme_color="#faf8f4",
        icons=[svg_icon, *png_icons],
    )
    response.mimetype = "application/manifest+json"
    return response
