"""The language of a page: the runner's own, else this browser's, else English."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, request

from sync.language import (
    DEFAULT_LANGUAGE,
    LANGUAGES,
    activate_language,
    current_language,
    gettext,
    negotiate_language,
)
from sync.runners import account
from web.http import session
from web.runtime import runtime

QUERY_PARAMETER = "language"
_COOKIE, _COOKIE_DAYS = "language", 365
# Programs read these: in English, without a query to the database.
_MACHINE_BLUEPRINTS = {"webhooks", "health"}
# The token in the address names the runner: these views activate their language.
_TOKEN_BLUEPRINTS = {"survey", "unsubscribe", "pre_run"}


def init_app(app: Flask) -> None:
    """Activate one language for the whole of each request."""

    @app.before_request
    def activate_request_locale() -> None:
        g.active_language = ExitStack()
        # First without the database: its absence is an error page in this language.
        activate_locale(read_browser_language())
        activate_locale(choose_language())

    @app.after_request
    def set_language_headers(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.content_language.add(current_language())
            response.vary.update(("Accept-Language", "Cookie"))
        return response

    @app.teardown_request
    def deactivate_locale(_error: BaseException | None) -> None:
        if "active_language" in g:
            g.pop("active_language").close()

    app.jinja_env.globals.update(
        LANGUAGES=LANGUAGES,
        spoken=current_language,
        other_languages=list_other_languages,
    )
    # For texts of variables: `_` would take their content for markup.
    app.jinja_env.filters["translated"] = gettext


def activate_locale(language: str) -> None:
    """Use `language` for the rest of this request; "" changes nothing."""
    if language:
        g.active_language.enter_context(activate_language(language))


def activate_runner_locale(runner_id: int) -> None:
    """Use the language of this runner's settings for the rest of this request."""
    activate_locale(account.load_language(runtime(), runner_id))


def save_language(language: str) -> None:
    """Remember the language in this browser, for its other pages and its errors."""
    if language and session.get_cookie(_COOKIE) != language:
        session.set_cookie(_COOKIE, language, days=_COOKIE_DAYS)


def list_other_languages() -> Mapping[str, str]:
    """Return language codes with their addresses, for visitors without a sign-in."""
    if request.method != "GET" or session.sign_in_token():
        return {}
    if request.blueprint in _TOKEN_BLUEPRINTS | _MACHINE_BLUEPRINTS:
        return {}
    query: dict[str, Any] = request.args.to_dict()
    return {
        code: f"{request.path}?{urlencode(query | {QUERY_PARAMETER: code})}"
        for code in LANGUAGES
        if code != current_language()
    }


def choose_language() -> str:
    """Return the language chosen here or by the signed-in runner, else "".

    Only our own pages ask for the runner: an unknown address costs no query.
    """
    if request.blueprint in _MACHINE_BLUEPRINTS:
        return ""
    requested = request.args.get(QUERY_PARAMETER, "")
    if requested in LANGUAGES and not session.sign_in_token():
        save_language(requested)
        return requested
    if request.endpoint in {None, "static"} or request.blueprint in _TOKEN_BLUEPRINTS:
        return ""
    runner = session.current_runner()
    if runner is None:
        return ""
    save_language(runner.language)
    return runner.language


def read_browser_language() -> str:
    """Return the language remembered in this browser, or else the one it asks for."""
    if request.blueprint in _MACHINE_BLUEPRINTS:
        return DEFAULT_LANGUAGE
    saved_language = session.get_cookie(_COOKIE)
    if saved_language in LANGUAGES:
        return saved_language
    return negotiate_language(
        [code for code, quality in request.accept_languages if quality]
    )
