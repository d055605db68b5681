"""The language of an answer: the runner's own, else this browser's, else English."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, request

from sync.language import DEFAULT, LANGUAGES, choose, gettext, speaking, spoken
from sync.runners import account
from web.http import session
from web.runtime import runtime

ARGUMENT = "language"
_COOKIE, _COOKIE_DAYS = "language", 365
# Programs read these: they get English, and no question goes to the database.
_NEUTRAL = {"hooks", "health"}
# The address says whose page it is, signed in or not: their views speak to them.
_BY_ADDRESS = {"survey", "unsubscribe", "before"}


def follow(app: Flask) -> None:
    """Speak one language from a request's first line to its answer's last."""

    @app.before_request
    def listen() -> None:
        g.speaking = ExitStack()
        # First what needs no database: when it is away, an error is spoken so.
        speak(_heard())
        speak(_wanted())

    @app.after_request
    def name_it(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.content_language.add(spoken())
            response.vary.update(("Accept-Language", "Cookie"))
        return response

    @app.teardown_request
    def fall_silent(_error: BaseException | None) -> None:
        if "speaking" in g:
            g.pop("speaking").close()

    app.jinja_env.globals.update(
        LANGUAGES=LANGUAGES, spoken=spoken, other_languages=other_languages
    )
    # For texts that stand elsewhere; `_` would take what they hold for markup.
    app.jinja_env.filters["translated"] = gettext


def speak(language: str) -> None:
    """Speak `language` for the rest of this request; "" changes nothing."""
    if language:
        g.speaking.enter_context(speaking(language))


def speak_to(runner_id: int) -> None:
    """Speak as this runner chose, wherever they read."""
    speak(account.language(runtime(), runner_id))


def remember(language: str) -> None:
    """Let this browser's other pages, its errors too, speak this language."""
    if language and session.noted(_COOKIE) != language:
        session.note(_COOKIE, language, days=_COOKIE_DAYS)


def other_languages() -> Mapping[str, str]:
    """Return the languages to switch to and where, for those not signed in."""
    if request.method != "GET" or session.sign_in_token():
        return {}
    if request.blueprint in _BY_ADDRESS | _NEUTRAL:
        return {}
    return {code: _address(code) for code in LANGUAGES if code != spoken()}


def _address(language: str) -> str:
    asked: dict[str, Any] = request.args.to_dict() | {ARGUMENT: language}
    return f"{request.path}?{urlencode(asked)}"


def _wanted() -> str:
    """Return the language chosen here or by the runner; "" where nobody chose."""
    if request.blueprint in _NEUTRAL:
        return ""
    chosen = request.args.get(ARGUMENT, "")
    if chosen in LANGUAGES and not session.sign_in_token():
        remember(chosen)
        return chosen
    own = _runners_own()
    remember(own)
    return own


def _heard() -> str:
    """Return what this browser was told to speak last, or else asks for itself."""
    if request.blueprint in _NEUTRAL:
        return DEFAULT
    noted = session.noted(_COOKIE)
    if noted in LANGUAGES:
        return noted
    return choose([name for name, quality in request.accept_languages if quality])


def _runners_own() -> str:
    """Return the signed-in runner's language; "" for a stranger.

    Only pages of ours ask: an address that leads nowhere costs no query.
    """
    if request.endpoint in {None, "static"} or request.blueprint in _BY_ADDRESS:
        return ""
    runner = session.current_runner()
    return runner.language if runner else ""
