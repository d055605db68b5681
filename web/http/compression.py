"""Smaller answers for what is large and holds no secret beside foreign words."""

import gzip
from http import HTTPStatus

from flask import Flask, Response, request

# Pages that repeat a visitor's input stay plain: their size could tell tales.
_LARGE = {
    "static",
    "dashboard.dashboard_page",
    "dashboard.data_json",
    "dashboard.read_outs_json",
}
_TEXT = ("text/", "application/json", "image/svg+xml", "application/javascript")
_WORTH_IT = 1400  # bytes that fit one packet anyway


def shrink(app: Flask) -> None:
    @app.after_request
    def compress(response: Response) -> Response:
        if request.endpoint not in _LARGE or not _is_text(response):
            return response
        response.vary.add("Accept-Encoding")
        if (
            not request.accept_encodings["gzip"]
            or response.status_code != HTTPStatus.OK
        ):
            return response
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) > _WORTH_IT:
            response.set_data(gzip.compress(body, compresslevel=6, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
            # The plain file's tag would vouch for other bytes.
            response.headers.pop("ETag", None)
        return response


def _is_text(response: Response) -> bool:
    return (response.mimetype or "").startswith(_TEXT)
