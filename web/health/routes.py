"""For machines: is the process up, can it work, and how much is there to do."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST

from web.health.checks import ReadinessMonitor, is_ready
from web.health.counts import render_metrics
from web.http.constant_time import matches_secret
from web.http.local_only import require_local_request
from web.runtime import runtime

blueprint = Blueprint("health", __name__)
_EXTENSION_KEY = "moodmiles_readiness"


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that the process answers; touches nothing else."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether work can be stored, sent and done, and how late it is."""
    report = _get_monitor().check()
    status = HTTPStatus.OK if is_ready(report) else HTTPStatus.SERVICE_UNAVAILABLE
    return jsonify(report), status


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Show counts in Prometheus' format to who has the token.

    Without one, this machine alone may see them, and nobody at all in public.
    """
    settings = runtime().settings
    if settings.metrics_token is not None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not matches_secret(token, settings.metrics_token):
            abort(HTTPStatus.UNAUTHORIZED)
    elif settings.is_public:
        abort(HTTPStatus.NOT_FOUND)
    else:
        require_local_request()
    return Response(render_metrics(runtime()), content_type=CONTENT_TYPE_LATEST)


def _get_monitor() -> ReadinessMonitor:
    """Return this process's monitor, made with the first question."""
    monitor: ReadinessMonitor = current_app.extensions.setdefault(
        _EXTENSION_KEY, ReadinessMonitor(runtime())
    )
    return monitor
