"""Forms that only our own pages can send.

Each form carries a token made from this browser's cookie and its sign-in with
a secret of ours: another site can make a browser post, but cannot know it.
"""

import hmac
from hashlib import sha256

from flask import Flask, request
from markupsafe import Markup
from werkzeug.exceptions import Forbidden

from web.http.session import browser_token, sign_in_token
from web.runtime import runtime

FIELD_NAME = "csrf"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# There the address itself is the permission, and no cookie is read.
EXEMPT_BLUEPRINTS = {"survey", "unsubscribe", "pre_run", "webhooks"}


class InvalidCsrfToken(Forbidden):
    """The form did not come from a page that this browser got from us."""


def init_app(app: Flask) -> None:
    @app.before_request
    def check_token() -> None:
        if request.method in _SAFE_METHODS or request.blueprint in EXEMPT_BLUEPRINTS:
            return
        if request.endpoint and not _is_valid(request.form.get(FIELD_NAME, "")):
            raise InvalidCsrfToken

    app.jinja_env.globals["csrf_field"] = csrf_field


def csrf_field() -> Markup:
    """Return the hidden field that every form needs."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(
        FIELD_NAME, csrf_token()
    )


def csrf_token() -> str:
    return _valid_tokens()[0]


def _is_valid(given: str) -> bool:
    return any(
        hmac.compare_digest(given.encode(), valid.encode()) for valid in _valid_tokens()
    )


def _valid_tokens() -> list[str]:
    """Return what each secret key makes of this browser, newest key first."""
    message = f"form|{browser_token()}|{sign_in_token()}".encode()
    return [
        hmac.new(key.get_secret_value().encode(), message, sha256).hexdigest()
        for key in runtime().settings.secret_keys
    ]
