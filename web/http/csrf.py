"""Protection against cross-site request forgery.

Each form carries an HMAC of this browser's cookie and its sign-in under a key of its
own: another site can make a browser post a form, but cannot know the token.
"""

import hmac

from flask import Flask, request
from markupsafe import Markup
from werkzeug.exceptions import Forbidden

from sync.vocabulary import KeyUse
from web.http.session import browser_token, sign_in_token
from web.runtime import runtime

FIELD_NAME = "csrf"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# Their address is the permission: they read no cookie.
EXEMPT_BLUEPRINTS = {"survey", "unsubscribe", "pre_run", "webhooks"}


class InvalidCsrfToken(Forbidden):
    """The form did not come from a page that this browser got from us."""


def init_app(app: Flask) -> None:
    @app.before_request
    def check_token() -> None:
        if request.method in _SAFE_METHODS or request.blueprint in EXEMPT_BLUEPRINTS:
            return
        given = request.form.get(FIELD_NAME, "").encode()
        if request.endpoint and not any(
            hmac.compare_digest(given, valid.encode()) for valid in _valid_tokens()
        ):
            raise InvalidCsrfToken

    app.jinja_env.globals["csrf_field"] = csrf_field


def csrf_field() -> Markup:
    """Return the hidden field that every form needs."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(
        FIELD_NAME, csrf_token()
    )


def csrf_token() -> str:
    return _valid_tokens()[0]


def _valid_tokens() -> list[str]:
    """Return this browser's token under each secret key, newest key first."""
    form = f"{browser_token()}|{sign_in_token()}"
    return runtime().sealer.signatures(KeyUse.FORMS, form)
