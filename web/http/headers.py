"""What every answer carries, and which addresses we answer to at all."""

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sync.settings import Settings

_YEAR_S = 365 * 24 * 3600
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]"}
# Probes inside a container or a cluster cannot know the public name.
_ANY_HOST_ENDPOINTS = {"health.healthz", "health.readyz", "health.metrics"}
# The address itself opens the page, so no search engine may keep it.
_NOINDEX_BLUEPRINTS = {"survey", "unsubscribe", "pre_run", "account_links", "mailbox"}
# Whoever comes to this browser next finds nothing of the last runner's.
_CACHE_CLEARING_ENDPOINTS = {"login.logout"}
_PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
)


def init_app(app: Flask, settings: Settings) -> None:
    policy = build_content_security_policy(settings)
    headers = build_fixed_headers(settings)

    @app.before_request
    def refuse_foreign_host() -> ResponseReturnValue | None:
        return _refuse_foreign_host(settings)

    @app.after_request
    def set_security_headers(response: Response) -> Response:
        response.headers.update(headers)
        # A page with its own policy (the mailbox's mails) keeps it.
        if "Content-Security-Policy" not in response.headers:
            frames = "; frame-src 'self'" if request.blueprint == "mailbox" else ""
            response.headers["Content-Security-Policy"] = policy + frames
            response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cache-Control"] = _cache_control(response)
        if request.endpoint in _CACHE_CLEARING_ENDPOINTS:
            response.headers["Clear-Site-Data"] = '"cache"'
        if request.blueprint in _NOINDEX_BLUEPRINTS:
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response


def build_content_security_policy(settings: Settings) -> str:
    """Nothing from elsewhere, nothing inline; forms may lead on to Strava."""
    site = urlsplit(settings.strava_site_url)
    return "; ".join(
        (
            "default-src 'none'",
            "object-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            f"form-action 'self' {site.scheme}://{site.netloc}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def build_fixed_headers(settings: Settings) -> dict[str, str]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": _PERMISSIONS_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if settings.public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}; includeSubDomains"
    return headers


def _cache_control(response: Response) -> str:
    if request.endpoint == "static" and response.status_code < HTTPStatus.BAD_REQUEST:
        # The address of a versioned file changes with its content.
        if "v" in request.args:
            return f"public, max-age={_YEAR_S}, immutable"
        return "public, max-age=3600"
    return "no-store"


def _refuse_foreign_host(settings: Settings) -> ResponseReturnValue | None:
    """Answer only to our own name, so that nobody can lend us theirs."""
    own_host = urlsplit(settings.public_url).netloc.lower()
    requested_host = request.host.lower()
    if requested_host == own_host or request.endpoint in _ANY_HOST_ENDPOINTS:
        return None
    if (
        request.method == "GET"
        and not settings.is_public
        and _is_loopback(requested_host)
    ):
        return redirect(f"{settings.public_url}{request.full_path.rstrip('?')}")
    page = render_template("other_name.html", public_url=settings.public_url)
    return page, HTTPStatus.MISDIRECTED_REQUEST


def _is_loopback(host: str) -> bool:
    return host in _LOOPBACK_NAMES or host.rpartition(":")[0] in _LOOPBACK_NAMES
