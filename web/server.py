"""The web server: `python -m web.server --port 8000`.

The pages are loaded here, before the processes that serve them are forked: they
share the memory, and one that takes another's place is there at once.
"""

import gc
import multiprocessing
import os
import resource
import sys
from argparse import ArgumentParser
from importlib import import_module

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

import web.app  # noqa: F401 - loaded for the processes to come
from sync import part_failures
from sync.setting_urls import from_broker_url

APP = "web.asgi:app"
# It costs half a second and tens of megabytes, and only a dashboard needs it.
FIGURES_MODULE = "sync.analytics.figures"
# A fork without exec is safe where the system's libraries allow it.
USES_FORK = sys.platform == "linux"
# An idle connection costs a file descriptor and some 10 kB, no thread.
MAX_CONNECTIONS = 8192
# Also where a host lets nobody open many files.
MIN_CONNECTIONS = 64
# What the process opens besides connections: tables, Redis, files.
OTHER_FILES = 256
BACKLOG = 4096
# Also ends a connection that was kept open for a next request.
HEADER_TIMEOUT_S = 10
# Bounds what one connection may keep in memory: a head, or a body not yet read.
MAX_BUFFER_BYTES = 40 * 1024


def main() -> None:
    parser = ArgumentParser(prog="python -m web.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    serve(arguments.host, arguments.port, arguments.processes)
    broker_url = os.environ.get(part_failures.BROKER_VARIABLE, "")
    part_failures.record_wanted_end("web", from_broker_url(broker_url))


def serve(host: str, port: int, processes: int, *, app: str = APP) -> None:
    """Serve `app`, an ASGI application, until a signal ends this process."""
    if USES_FORK:
        multiprocessing.set_start_method("fork", force=True)
        if processes > 1:
            import_module(FIGURES_MODULE)  # sooner or later each of them would do so
        gc.freeze()
    Granian(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=processes,
        backlog=BACKLOG,
        backpressure=max(
            raise_file_limit(MAX_CONNECTIONS + OTHER_FILES) - OTHER_FILES,
            MIN_CONNECTIONS,
        ),
        # Nobody needs HTTP/2 behind a proxy, and it has no time limit for headers.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_TIMEOUT_S * 1000,
            max_buffer_size=MAX_BUFFER_BYTES,
        ),
        websockets=False,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
    ).serve()


def raise_file_limit(count: int) -> int:
    """Let this process open `count` files if it may; return how many it may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return count
    raised = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return raised


if __name__ == "__main__":
    main()
