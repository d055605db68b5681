"""The page without a network, and the service worker that stores it.

The worker stores that page and its files.  It never stores a page about a person,
so the next person at the phone finds nothing.
"""

from hashlib import sha256

from flask import Blueprint, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from web.pages import asset_url

_FILES = ("app.css", "figtree.woff2", "icon.svg")

blueprint = Blueprint("offline", __name__)


@blueprint.get("/offline")
def offline_page() -> ResponseReturnValue:
    return render_template("offline/offline.html")


@blueprint.get("/sw.js")
def service_worker() -> ResponseReturnValue:
    """Return the worker; a new file gives a new script, and browsers fetch anew."""
    page = url_for(".offline_page")
    # The style sheet asks for the font by the same address as the page.
    files = [asset_url(name) for name in _FILES]
    text = render_template("offline/offline.html") + "".join(files)
    version = sha256(text.encode()).hexdigest()[:12]
    script = render_template("offline/sw.js", page=page, files=files, version=version)
    response = make_response(script)
    response.mimetype = "text/javascript"
    return response
