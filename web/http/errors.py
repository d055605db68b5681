"""Every failure becomes one clear page, or JSON where a program asks."""

import secrets
import traceback
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import structlog
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from sync.crypto import KeyLost
from sync.errors import MoodmilesError, RateLimited
from sync.language import translatable
from web.http.http_problems import BY_STATUS
from web.http.limits import RateLimitExceeded
from web.http.problems import UNKNOWN, Problem, find_problem
from web.runtime import runtime

log = structlog.get_logger()

# Libraries are deep: the last places of our own say what failed.
_PROJECT_FOLDERS = tuple(
    str(Path(__file__).parents[2] / part) for part in ("web", "sync")
)


def init_app(app: Flask) -> None:
    app.register_error_handler(MoodmilesError, _handle_domain_error)
    app.register_error_handler(HTTPException, _handle_http_error)
    app.register_error_handler(Exception, _handle_unexpected_error)
    app.after_request(_log_refusal)


def _handle_domain_error(error: MoodmilesError) -> Response:
    problem = find_problem(error)
    if problem is UNKNOWN:
        return _handle_unexpected_error(error)
    if isinstance(error, KeyLost):
        log.error("key lost", endpoint=request.endpoint)
    g.refused_for = type(error).__name__
    response = render_problem(problem)
    if isinstance(error, RateLimited):
        wait = error.until - runtime().now()
        response.headers["Retry-After"] = str(max(1, int(wait.total_seconds())))
    return response


def _handle_http_error(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST:  # a redirect that routing asked for
        return make_response(error.get_response())
    problem = BY_STATUS.get(status) or _build_generic_problem(status)
    if isinstance(error, RateLimitExceeded):
        problem = replace(problem, text=error.description)
    response = render_problem(problem)
    if isinstance(error, RateLimitExceeded):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(allowed_methods := getattr(error, "valid_methods", None), list):
        response.headers["Allow"] = ", ".join(sorted(allowed_methods))
    return response


def _handle_unexpected_error(error: Exception) -> Response:
    code = f"{secrets.token_hex(2)}-{secrets.token_hex(1)}".upper()
    # The error's text may quote what a person wrote: only its place is logged.
    locations = [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(_PROJECT_FOLDERS)
    ]
    log.error(
        "request failed",
        code=code,
        error=type(error).__name__,
        endpoint=request.endpoint,
        where=locations[-8:],
    )
    return render_problem(UNKNOWN, code=code)


def _log_refusal(response: Response) -> Response:
    """Log what one of our addresses refused, and which; never what was sent."""
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
    """Show `problem` to whoever asked: a person or a program."""
    if request.blueprint == "webhooks" or request.path.endswith(".json"):
        body = {"error": problem.title} | ({"code": code} if code else {})
        return make_response(jsonify(body), problem.status)
    page = render_template("problem.html", problem=problem, code=code)
    return make_response(page, problem.status)


def _build_generic_problem(status: int) -> Problem:
    return Problem(
        HTTPStatus(status),
        translatable("That did not work."),
        translatable("Nothing was changed."),
    )
