"""Compression of large answers that hold no secret beside a visitor's input."""

import gzip
from functools import lru_cache
from http import HTTPStatus

from flask import Flask, Response, request

# A page that repeats a visitor's input stays plain: its size would leak (BREACH).
_COMPRESSED_ENDPOINTS = {"static", "dashboard.dashboard_page", "claims.claims_page"}
_TEXT_TYPES = ("text/", "application/json", "image/svg+xml", "application/javascript")
_MIN_BYTES = 1400  # bytes that fit one packet anyway


def compress_body(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6, mtime=0)


# Files do not change, and nobody is refused one: each is compressed once.
compress_file = lru_cache(maxsize=64)(compress_body)


def init_app(app: Flask) -> None:
    @app.after_request
    def compress(response: Response) -> Response:
        """Compress an answer whose endpoint and type allow it (docs/decisions/0017)."""
        is_text = (response.mimetype or "").startswith(_TEXT_TYPES)
        if request.endpoint not in _COMPRESSED_ENDPOINTS or not is_text:
            return response
        response.vary.add("Accept-Encoding")
        accepts_gzip = bool(request.accept_encodings["gzip"])
        if not accepts_gzip or response.status_code != HTTPStatus.OK:
            return response
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) > _MIN_BYTES:
            is_file = request.endpoint == "static"
            response.set_data(compress_file(body) if is_file else compress_body(body))
            response.headers["Content-Encoding"] = "gzip"
            # The plain file's tag would vouch for other bytes.
            response.headers.pop("ETag", None)
        return response
