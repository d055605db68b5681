"""Which requests wait for a turn, and whose turn it is (docs/decisions/0022)."""

from collections.abc import Mapping
from wsgiref.types import WSGIEnvironment

from werkzeug.http import parse_cookie

# The same for everybody, and cheap; a runner's browser sends its cookie there, too.
_CHEAP_PATHS = ("/healthz", "/hooks/", "/readyz", "/static/")
# Slow for whoever asks: two wait for Strava, the other makes ten thousand runs.
_OWNER_BY_SLOW_PATH: Mapping[str, str] = {
    "/connect/callback": "waits for Strava",
    "/address/undo/": "waits for Strava",
    "/states/": "made-up runners",
}


def find_owner(environ: WSGIEnvironment, *, sign_in_cookie: str) -> str | None:
    """Return whose turn a request has to wait for; None if it is answered at once.

    What a signed-in runner opens or sends may be about ten thousand runs.
    """
    path = environ["PATH_INFO"]
    if path == "/" or path.startswith(_CHEAP_PATHS):
        return None
    for slow_path, owner in _OWNER_BY_SLOW_PATH.items():
        if path.startswith(slow_path):
            return owner
    return parse_cookie(environ).get(sign_in_cookie) or None
