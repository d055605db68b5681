"""Forms that only our own pages can send.

Each form carries a token made from this browser's cookie and its sign-in with
a secret of ours: another site can make a browser post, but cannot know it.
"""

import hmac
from hashlib import sha256

from flask import Flask, request
from markupsafe import Markup
from werkzeug.exceptions import Forbidden

from web.http.session import browser, sign_in_token
from web.runtime import runtime

FIELD = "csrf"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# There the address itself is the permission, and no cookie is read.
EXEMPT = {"survey", "unsubscribe", "before", "hooks"}


class FormTooOld(Forbidden):
    """The form did not come from a page that this browser got from us."""


def guard(app: Flask) -> None:
    @app.before_request
    def check() -> None:
        if request.method in _SAFE_METHODS or request.blueprint in EXEMPT:
            return
        if request.endpoint and not _is_ours(request.form.get(FIELD, "")):
            raise FormTooOld

    app.jinja_env.globals["csrf_field"] = field


def field() -> Markup:
    """Return the hidden field that every form needs."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token())


def token() -> str:
    return _tokens()[0]


def _is_ours(given: str) -> bool:
    return any(hmac.compare_digest(given.encode(), good.encode()) for good in _tokens())


def _tokens() -> list[str]:
    """Return what each secret key makes of this browser, newest key first."""
    message = f"form|{browser()}|{sign_in_token()}".encode()
    return [
        hmac.new(key.get_secret_value().encode(), message, sha256).hexdigest()
        for key in runtime().settings.secret_keys
    ]
