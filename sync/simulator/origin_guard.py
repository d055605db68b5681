"""Checks that a request comes from this machine, and not from another website.

Whoever opens a website gives it a browser on this machine to work with: it may send
forms here, and by a name of its own that it points at loopback (DNS rebinding) also
read what comes back.  Programs send no `Origin`; every browser sends it with a form.
"""

from http import HTTPStatus

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from sync.local_requests import is_local_request, is_loopback_host

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_OWN_FETCH_SITES = {"same-origin", "none"}


def install(app: Flask) -> None:
    app.before_request(refuse_foreign_request)


def refuse_foreign_request() -> ResponseReturnValue | None:
    """Refuse another host name, another machine, a proxy, and another site's form."""
    if not is_loopback_host(request.headers.get("Host", "")):
        return _refuse(
            HTTPStatus.MISDIRECTED_REQUEST,
            "The simulated Strava answers under this machine's own names alone: open "
            "it at http://127.0.0.1 and its port.",
        )
    if not is_local_request(request.environ):
        return _refuse(
            HTTPStatus.FORBIDDEN,
            "The simulated Strava is for the machine it runs on: open it there, with "
            "no proxy or tunnel in between.",
        )
    if request.method not in _SAFE_METHODS and is_from_another_site():
        return _refuse(
            HTTPStatus.FORBIDDEN,
            "Another website sent this, so nothing was changed: use the page at / or "
            "a program.",
        )
    return None


def _refuse(status: HTTPStatus, sentence: str) -> Response:
    return Response(f"{sentence}\n", status, mimetype="text/plain")


def is_from_another_site() -> bool:
    """Whether a browser sent this for a page that is not ours.

    `Origin: null`, which a sandboxed or hidden page sends, is another site, too.
    """
    own_origin = request.host_url.rstrip("/").lower()
    headers = request.headers
    if headers.get("Sec-Fetch-Site", "none") not in _OWN_FETCH_SITES:
        return True
    if "Origin" in headers:
        return headers["Origin"].lower() != own_origin
    referrer = headers.get("Referer")
    return referrer is not None and not referrer.lower().startswith(f"{own_origin}/")
