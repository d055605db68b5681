"""The web server: `python -m web.server --port 8000`.

The pages are loaded here, before the processes that serve them are forked: they
share the memory, and one that takes another's place is there at once.
"""

import gc
import multiprocessing
import sys
from argparse import ArgumentParser
from importlib import import_module

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

import web.app  # noqa: F401 - loaded for the processes to come

APP = "web.wsgi:app"
# It costs half a second and tens of megabytes, and only a dashboard needs it.
FIGURES_MODULE = "sync.analytics.figures"
# A fork without exec is safe where the system's libraries allow it.
USES_FORK = sys.platform == "linux"


def main() -> None:
    parser = ArgumentParser(prog="python -m web.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    serve(arguments.host, arguments.port, arguments.processes)


def serve(host: str, port: int, processes: int, *, app: str = APP) -> None:
    """Serve `app` until a signal ends this process; a bench serves another one."""
    if USES_FORK:
        multiprocessing.set_start_method("fork", force=True)
        if processes > 1:
            import_module(FIGURES_MODULE)  # sooner or later each of them would do so
        gc.freeze()
    Granian(
        app,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        # One process with one thread is the fastest writer that SQLite can have.
        blocking_threads=1,
        websockets=False,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
