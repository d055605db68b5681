"""For machines: is the process up, can it work, and how much is there to do."""

from hmac import compare_digest
from http import HTTPStatus

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST

from web.health.checks import check_readiness
from web.health.counts import render_metrics
from web.runtime import runtime

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that the process answers; touches nothing else."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether the database and Redis answer, and how late the work is."""
    readiness_report = check_readiness(runtime())
    is_ready = (
        readiness_report["database"] == "ok" and readiness_report["redis"] != "down"
    )
    return jsonify(
        readiness_report
    ), HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Show counts in Prometheus' format; public hosts need a token for it."""
    settings = runtime().settings
    if settings.metrics_token is not None:
        expected = f"Bearer {settings.metrics_token.get_secret_value()}"
        given = request.headers.get("Authorization", "")
        if not compare_digest(given.encode(), expected.encode()):
            abort(HTTPStatus.UNAUTHORIZED)
    elif settings.is_public:
        abort(HTTPStatus.NOT_FOUND)
    return Response(render_metrics(runtime()), content_type=CONTENT_TYPE_LATEST)
