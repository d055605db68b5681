"""Smaller answers for what is large and holds no secret beside foreign words."""

import gzip
from http import HTTPStatus

from flask import Flask, Response, request

# Pages that repeat a visitor's input stay plain: their size could tell tales.
_COMPRESSED_ENDPOINTS = {
    "static",
    "dashboard.dashboard_page",
    "dashboard.data_json",
    "dashboard.read_outs_json",
}
_TEXT_TYPES = ("text/", "application/json", "image/svg+xml", "application/javascript")
_MIN_BYTES = 1400  # bytes that fit one packet anyway


def init_app(app: Flask) -> None:
    @app.after_request
    def compress(response: Response) -> Response:
        if request.endpoint not in _COMPRESSED_ENDPOINTS or not _is_text(response):
            return response
        response.vary.add("Accept-Encoding")
        if (
            not request.accept_encodings["gzip"]
            or response.status_code != HTTPStatus.OK
        ):
            return response
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) > _MIN_BYTES:
            response.set_data(gzip.compress(body, compresslevel=6, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
            # The plain file's tag would vouch for other bytes.
            response.headers.pop("ETag", None)
        return response


def _is_text(response: Response) -> bool:
    return (response.mimetype or "").startswith(_TEXT_TYPES)
