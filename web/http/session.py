"""Sign-ins and cookies.  The server keeps a sign-in; its cookie is a random token."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import ParamSpec
from urllib.parse import urlsplit

from flask import Flask, Response, g, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from sync.crypto import new_token
from sync.language import current_language
from sync.runners import account, sign_in
from sync.runners.sign_in import SignedInRunner
from sync.vocabulary import SignInMethod
from web.http.browsers import browser_name
from web.runtime import runtime

P = ParamSpec("P")

_SIGN_IN_DAYS = 90
_BROWSER_DAYS = 30
_NEXT_PATH_MINUTES = 15
# A dashboard with every filter has some 200 characters.
_MAX_NEXT_LENGTH = 1_000
_DAY_S = 24 * 3600
_DEFAULT_PORT = 8000
# Withdrawal, export and deletion never wait for consent to a new text.
_CONSENT_EXEMPT_BLUEPRINTS = {
    "consents",
    "export",
    "disconnect_and_delete",
    "browser_sessions",
}


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that goes out with the answer; an age of 0 removes it."""

    value: str
    max_age_s: int


def init_app(app: Flask) -> None:
    """Send the cookies that a view has queued with its answer."""

    @app.after_request
    def set_cookies(response: Response) -> Response:
        cookies: dict[str, Cookie] = g.pop("cookies", {})
        for name, cookie in cookies.items():
            response.set_cookie(
                cookie_name(name),
                cookie.value,
                max_age=cookie.max_age_s,
                secure=_is_https(),
                httponly=True,
                samesite="Lax",
                path="/",
            )
        return response


def login(runner_id: int, *, method: SignInMethod, default_path: str) -> str:
    """Sign this browser in with a new token; return the page to go on to.

    It is the remembered one, or else `default_path`.  If another runner was signed in
    here, what they were about to do is forgotten, and a page says who is now.
    """
    former = current_runner()
    logout()
    name = browser_name(request.user_agent.string)
    token = sign_in.sign_in(runtime(), runner_id, method=method, browser=name)
    _queue_cookie("", token, days=_SIGN_IN_DAYS)
    account.save_default_language(runtime(), runner_id, current_language())
    next_path = pop_next_path(default_path)
    if former is not None and former.runner_id != runner_id:
        return url_for("login.switched_page")
    return next_path


def logout() -> None:
    token = sign_in_token()
    if token:
        sign_in.sign_out(runtime(), token)
        _queue_cookie("", "", days=0)
    g.pop("runner", None)


def current_runner() -> SignedInRunner | None:
    """Return the signed-in runner or None; asks the database once a request."""
    if "runner" not in g:
        token = sign_in_token()
        g.runner = sign_in.find_signed_in(runtime(), token) if token else None
    runner: SignedInRunner | None = g.runner
    return runner


def require_runner() -> SignedInRunner:
    """Return the runner, inside a view that is `login_required`."""
    runner = current_runner()
    if runner is None:
        raise LookupError("a view that needs a runner is not login_required")
    return runner


def login_required(
    view: Callable[P, ResponseReturnValue],
) -> Callable[P, ResponseReturnValue]:
    """Send strangers to the sign-in page and back here afterwards."""

    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        runner = current_runner()
        if runner is not None and (not runner.must_agree or is_consent_exempt()):
            return view(*args, **kwargs)
        next_path = request.full_path.rstrip("?") if request.method == "GET" else ""
        if request.path.endswith(".json"):
            if runner is None:
                return jsonify(error="Please sign in."), HTTPStatus.UNAUTHORIZED
            return jsonify(error="There is a new text."), HTTPStatus.FORBIDDEN
        if runner is not None:
            save_next_path(next_path)
            return redirect(url_for("consents.renewal_page"))
        return redirect(url_for("login.login_page", next=next_path or None))

    return wrapper


def is_consent_exempt() -> bool:
    """Whether this page is open to a runner who has a new text to agree to."""
    return request.blueprint in _CONSENT_EXEMPT_BLUEPRINTS or (
        request.blueprint == "settings" and request.method == "GET"
    )


def browser_token() -> str:
    """Return this browser's own random name, made on first use."""
    token = _get_queued_cookie("browser") or request.cookies.get(
        cookie_name("browser"), ""
    )
    if not token:
        token = new_token()
        _queue_cookie("browser", token, days=_BROWSER_DAYS)
    return token


def sign_in_token() -> str:
    return _get_queued_cookie("") or request.cookies.get(cookie_name(""), "")


def safe_path(path: str | None) -> str | None:
    """Return `path` if it leads to one of our own pages, else None."""
    if not path or len(path) > _MAX_NEXT_LENGTH or not path.isprintable():
        return None
    # Browsers read "//host" and "/\host" as another site; what else begins with a
    # slash has no host.  It is not parsed: urlsplit raises on some of it.
    is_own = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if is_own else None


def save_next_path(path: str | None) -> None:
    """Remember where to go after the sign-in that now begins."""
    next_path = safe_path(path)
    if next_path:
        _pending_cookies()["next"] = Cookie(next_path, _NEXT_PATH_MINUTES * 60)


def pop_next_path(default: str) -> str:
    """Return the remembered page once, or `default`."""
    path = safe_path(request.cookies.get(cookie_name("next")))
    if path:
        _queue_cookie("next", "", days=0)
    return path or default


def set_cookie(name: str, value: str, *, days: int) -> None:
    """Let this browser remember something that no server needs to know."""
    _queue_cookie(name, value, days=days)


def get_cookie(name: str) -> str:
    return request.cookies.get(cookie_name(name), "")


def cookie_name(name: str) -> str:
    """Return the cookie's full name; `__Host-` pins it to this host on https."""
    full_name = f"moodmiles-{name}" if name else "moodmiles"
    if _is_https():
        return f"__Host-{full_name}"
    # Cookies do not know ports: two instances side by side need two names.
    port = urlsplit(runtime().settings.public_url).port
    return full_name if port in {None, _DEFAULT_PORT} else f"{full_name}-{port}"


def _is_https() -> bool:
    return runtime().settings.public_url.startswith("https://")


def _pending_cookies() -> dict[str, Cookie]:
    cookies: dict[str, Cookie] = g.setdefault("cookies", {})
    return cookies


def _queue_cookie(name: str, value: str, *, days: int) -> None:
    _pending_cookies()[name] = Cookie(value, days * _DAY_S)


def _get_queued_cookie(name: str) -> str:
    cookie = _pending_cookies().get(name)
    return cookie.value if cookie else ""
