"""A view that loses a race for the database runs again, before anybody sees an error.

This holds for every view there is and will be.  What a view does behind its first
commit, or behind a request to Strava, is retried where it is done.
"""

from flask import Flask, g
from flask.typing import ResponseReturnValue

from sync.conflicts import retry_conflicts


def init_app(app: Flask) -> None:
    dispatch = app.dispatch_request

    @retry_conflicts
    def dispatch_request() -> ResponseReturnValue:
        g.dispatches = g.get("dispatches", 0) + 1
        if is_rerun():
            # Whoever was signed in at the first attempt may be gone by now.
            g.pop("runner", None)
        return dispatch()

    app.dispatch_request = dispatch_request  # type: ignore[method-assign]


def is_rerun() -> bool:
    """Whether this request's view has been begun before."""
    return bool(g.get("dispatches", 0) > 1)
