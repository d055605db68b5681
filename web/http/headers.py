"""The headers of every answer, and the host names that are answered to."""

from http import HTTPStatus
from urllib.parse import quote, urlsplit

from flask import Flask, Response, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sync.local_requests import is_loopback_host
from sync.setting_urls import DEFAULT_PORTS
from sync.settings import Settings
from web.runtime import runtime

_EXTENSION_KEY = "moodmiles_security_headers"
_POLICY_HEADER = "Content-Security-Policy"
_HOUR_S = 3600
_YEAR_S = 365 * 24 * _HOUR_S
# Probes inside a container or a cluster cannot know the public name.
_ANY_HOST_ENDPOINTS = {"health.healthz", "health.readyz", "health.metrics"}
# The address itself opens the page, so no search engine may keep it.
_NOINDEX_BLUEPRINTS = {"survey", "unsubscribe", "pre_run", "account_links", "mailbox"}
# The next person at this browser finds nothing of the last runner's.
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
    app.extensions[_EXTENSION_KEY] = build_security_headers(settings)
    app.before_request(refuse_foreign_host)
    app.after_request(set_response_headers)


def build_security_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of every answer, of Flask's and of the webhook's alike.

    Flask relaxes two of them: `Cache-Control` for static files, and the content
    security policy for a page that brings its own.
    """
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": _PERMISSIONS_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        _POLICY_HEADER: build_content_security_policy(settings),
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }
    if settings.public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}; includeSubDomains"
    return headers


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


def refuse_foreign_host() -> ResponseReturnValue | None:
    """Answer only to our own host name: a foreign one would get into our links."""
    settings = runtime().settings
    host = request.host.lower()
    if (
        names_own_host(host, settings.public_url)
        or request.endpoint in _ANY_HOST_ENDPOINTS
    ):
        return None
    is_own_machine = not settings.is_public and is_loopback_host(host)
    if request.method == "GET" and is_own_machine:
        # A path is decoded: it may hold a line break, or a question mark of its own.
        path, query = quote(request.path), request.query_string.decode("latin-1")
        return redirect(f"{settings.public_url}{path}{query and '?'}{query}")
    page = render_template("other_name.html", public_url=settings.public_url)
    return page, HTTPStatus.MISDIRECTED_REQUEST


def names_own_host(host: str, public_url: str) -> bool:
    """Whether a Host header names us; who names the usual port means none."""
    scheme, _, own_host = public_url.partition("://")
    host = host.lower()
    return host in {own_host, f"{own_host}:{DEFAULT_PORTS[scheme]}"}


def set_response_headers(response: Response) -> Response:
    """Add the security headers, and what this endpoint needs beside them."""
    headers: dict[str, str] = dict(current_app.extensions[_EXTENSION_KEY])
    if _POLICY_HEADER in response.headers:  # a mail in the mailbox brings its own
        del headers[_POLICY_HEADER], headers["X-Frame-Options"]
    elif request.blueprint == "mailbox":
        headers[_POLICY_HEADER] += "; frame-src 'self'"
    if request.endpoint == "static" and response.status_code < HTTPStatus.BAD_REQUEST:
        # The address of a versioned file changes with its content.
        is_versioned = "v" in request.args
        headers["Cache-Control"] = (
            f"public, max-age={_YEAR_S}, immutable"
            if is_versioned
            else f"public, max-age={_HOUR_S}"
        )
    if request.endpoint in _CACHE_CLEARING_ENDPOINTS:
        headers["Clear-Site-Data"] = '"cache"'
    if request.blueprint in _NOINDEX_BLUEPRINTS:
        headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers.update(headers)
    return response
