"""Requests that the server refuses: their pages are Flask's, like all others."""

from flask import Flask, abort, request

# In the environ of a refused request, with the status that says why.
REFUSAL_KEY = "moodmiles.refusal"


def init_app(app: Flask) -> None:
    @app.before_request
    def raise_refusal() -> None:
        status = request.environ.get(REFUSAL_KEY)
        if status is not None:
            abort(status)
