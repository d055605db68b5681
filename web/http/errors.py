"""Every failure becomes one clear page, or JSON where a program asks."""

import secrets
from dataclasses import replace
from http import HTTPStatus

import structlog
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from sync.crypto import KeyLost
from sync.errors import MoodmilesError, RateLimited
from sync.language import translatable
from sync.log import format_frames
from web.http.limits import RateLimitExceeded
from web.http.problems import BY_STATUS, UNKNOWN, Problem, find_problem
from web.runtime import runtime

log = structlog.get_logger()


def init_app(app: Flask) -> None:
    app.register_error_handler(MoodmilesError, handle_domain_error)
    app.register_error_handler(HTTPException, handle_http_error)
    app.register_error_handler(Exception, handle_unexpected_error)
    app.after_request(log_refusal)


def handle_domain_error(error: MoodmilesError) -> Response:
    """Show the problem of an expected error; Strava's limit adds `Retry-After`."""
    problem = find_problem(error)
    if problem is UNKNOWN:
        return handle_unexpected_error(error)
    if isinstance(error, KeyLost):
        log.error("key lost", endpoint=request.endpoint)
    g.refused_for = type(error).__name__
    response = render_problem(problem)
    if isinstance(error, RateLimited):
        wait = error.until - runtime().now()
        response.headers["Retry-After"] = str(max(1, int(wait.total_seconds())))
    return response


def handle_http_error(error: HTTPException) -> Response:
    """Show the problem of an HTTP status and keep the headers that HTTP asks for."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST:  # a redirect that routing asked for
        return make_response(error.get_response())
    problem = BY_STATUS.get(status) or Problem(
        HTTPStatus(status),
        translatable("That did not work."),
        translatable("Nothing was changed."),
    )
    if isinstance(error, RateLimitExceeded):
        problem = replace(problem, text=error.description)
    response = render_problem(problem)
    if isinstance(error, RateLimitExceeded):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(allowed_methods := getattr(error, "valid_methods", None), list):
        response.headers["Allow"] = ", ".join(sorted(allowed_methods))
    return response


def handle_unexpected_error(error: Exception) -> Response:
    """Log an unforeseen error under a random code and show that code."""
    code = f"{secrets.token_hex(2)}-{secrets.token_hex(1)}".upper()
    # The error's text may quote what a person wrote: only its type and frames go out.
    log.error(
        "request failed",
        code=code,
        error=type(error).__name__,
        endpoint=request.endpoint,
        where=format_frames(error.__traceback__),
    )
    return render_problem(UNKNOWN, code=code)


def log_refusal(response: Response) -> Response:
    """Log the endpoint and the status of a refused request, never its content."""
    status, reason = response.status_code, g.pop("refused_for", None)
    is_refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if reason or (request.endpoint and is_refused):
        log.info(
            "request refused",
            status=status,
            endpoint=request.endpoint,
            error=reason,
        )
    return response


def render_problem(problem: Problem, *, code: str = "") -> Response:
    """Render `problem` as a page, or as JSON for programs."""
    if request.blueprint == "webhooks" or request.path.endswith(".json"):
        body = {"error": problem.title} | ({"code": code} if code else {})
        return make_response(jsonify(body), problem.status)
    page = render_template("problem.html", problem=problem, code=code)
    return make_response(page, problem.status)
