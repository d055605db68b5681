"""The language of an answer: the runner's own, else this browser's, else English."""

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
# Programs read these: they get English, and no question goes to the database.
_MACHINE_BLUEPRINTS = {"webhooks", "health"}
# The address says whose page it is, signed in or not: their views speak to them.
_TOKEN_BLUEPRINTS = {"survey", "unsubscribe", "pre_run"}


def init_app(app: Flask) -> None:
    """Speak one language from a request's first line to its answer's last."""

    @app.before_request
    def activate_request_locale() -> None:
        g.speaking = ExitStack()
        # First what needs no database: when it is away, an error is spoken so.
        activate_locale(_read_browser_language())
        activate_locale(_choose_language())

    @app.after_request
    def set_language_headers(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.content_language.add(current_language())
            response.vary.update(("Accept-Language", "Cookie"))
        return response

    @app.teardown_request
    def deactivate_locale(_error: BaseException | None) -> None:
        if "speaking" in g:
            g.pop("speaking").close()

    app.jinja_env.globals.update(
        LANGUAGES=LANGUAGES,
        spoken=current_language,
        other_languages=list_other_languages,
    )
    # For texts that stand elsewhere; `_` would take what they hold for markup.
    app.jinja_env.filters["translated"] = gettext


def activate_locale(language: str) -> None:
    """Speak `language` for the rest of this request; "" changes nothing."""
    if language:
        g.speaking.enter_context(activate_language(language))


def activate_runner_locale(runner_id: int) -> None:
    """Speak as this runner chose, wherever they read."""
    activate_locale(account.load_language(runtime(), runner_id))


def save_language(language: str) -> None:
    """Let this browser's other pages, its errors too, speak this language."""
    if language and session.get_cookie(_COOKIE) != language:
        session.set_cookie(_COOKIE, language, days=_COOKIE_DAYS)


def list_other_languages() -> Mapping[str, str]:
    """Return the languages to switch to and where, for those not signed in."""
    if request.method != "GET" or session.sign_in_token():
        return {}
    if request.blueprint in _TOKEN_BLUEPRINTS | _MACHINE_BLUEPRINTS:
        return {}
    return {code: _switch_url(code) for code in LANGUAGES if code != current_language()}


def _switch_url(language: str) -> str:
    query: dict[str, Any] = request.args.to_dict() | {QUERY_PARAMETER: language}
    return f"{request.path}?{urlencode(query)}"


def _choose_language() -> str:
    """Return the language chosen here or by the runner; "" where nobody chose."""
    if request.blueprint in _MACHINE_BLUEPRINTS:
        return ""
    requested = request.args.get(QUERY_PARAMETER, "")
    if requested in LANGUAGES and not session.sign_in_token():
        save_language(requested)
        return requested
    runner_language = _load_runner_language()
    save_language(runner_language)
    return runner_language


def _read_browser_language() -> str:
    """Return what this browser was told to speak last, or else asks for itself."""
    if request.blueprint in _MACHINE_BLUEPRINTS:
        return DEFAULT_LANGUAGE
    saved_language = session.get_cookie(_COOKIE)
    if saved_language in LANGUAGES:
        return saved_language
    return negotiate_language(
        [code for code, quality in request.accept_languages if quality]
    )


def _load_runner_language() -> str:
    """Return the signed-in runner's language; "" for a stranger.

    Only pages of ours ask: an address that leads nowhere costs no query.
    """
    if request.endpoint in {None, "static"} or request.blueprint in _TOKEN_BLUEPRINTS:
        return ""
    runner = session.current_runner()
    return runner.language if runner else ""
