"""The files of a runner's numbers, encoded once for each state of their data.

Ten thousand runs take 0.4 s to encode, and every other visitor of this process may
wait so long.  What is kept is compressed, and bounded in bytes.
"""

import gzip
import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus

from flask import Response, request

from sync.analytics.dataset.cache import RunnerCache
from sync.analytics.dataset.run_annotations import load_data_state
from sync.language import current_language
from sync.time_zones import to_local
from web.http.session import require_runner
from web.runtime import runtime

CSV = "text/csv; charset=utf-8"
_MAX_BYTES = 16 * 1024 * 1024
_COMPRESSION_LEVEL = 6
# Another release, or other questions of the host, make other files of the same state:
# a tag is good for one start of the server.  Its processes are forks and share it.
_SALT = secrets.token_bytes(16)


@dataclass(frozen=True, slots=True)
class FileState:
    """All that a file depends on beside its address, and the tag that names it."""

    runner_id: int
    data_state: Hashable
    variant: Hashable

    @property
    def etag(self) -> str:
        text = repr((self.runner_id, self.data_state, self.variant))
        return sha256(_SALT + text.encode()).hexdigest()[:32]


def respond_with_file(
    build: Callable[[], str],
    *,
    content_type: str = CSV,
    download_name: str = "",
    variant: str = "",
) -> Response:
    """Answer with the text that `build` returns, or that it returned before.

    It may depend on the runner's data, units, language and day, and on `variant`.
    A client that has it gets 304, before any run is read.
    """
    state = load_file_state(variant)
    if request.if_none_match.contains_weak(state.etag):
        response = Response(status=HTTPStatus.NOT_MODIFIED)
    else:
        response = Response(content_type=content_type)
        gzipped = load_gzipped(state, build)
        if request.accept_encodings["gzip"]:
            response.headers["Content-Encoding"] = "gzip"
            response.set_data(gzipped)
        else:
            response.set_data(gzip.decompress(gzipped))
        if download_name:
            response.headers.set(
                "Content-Disposition", "attachment", filename=download_name
            )
    response.set_etag(state.etag, weak=True)
    response.vary.add("Accept-Encoding")
    return response


def load_file_state(variant: str) -> FileState:
    """Read what the signed-in runner's file depends on, but none of their runs."""
    runner = require_runner()
    state = load_data_state(runtime(), runner.runner_id)
    local_day = to_local(state.at, runner.zone).date()
    return FileState(
        runner.runner_id,
        state.value,
        (request.endpoint, variant, local_day, runner.units, current_language()),
    )


def load_gzipped(state: FileState, build: Callable[[], str]) -> bytes:
    """Return the compressed text of this state, from the cache where it is."""
    key = (state.runner_id, state.data_state, state.variant)
    db = runtime().db
    gzipped = FILE_CACHE.get(db, key)
    if gzipped is None:
        gzipped = gzip.compress(build().encode(), _COMPRESSION_LEVEL, mtime=0)
        FILE_CACHE.put(db, key, gzipped)
    return gzipped


# Measured in bytes.
FILE_CACHE: RunnerCache[bytes] = RunnerCache(_MAX_BYTES, get_size=len)
