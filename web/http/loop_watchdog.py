"""Ends a web process whose event loop hangs; the server then starts another one.

A process handles one request after the other, so one that never ends stops all.  The
supervisor asks the server as a whole, and after a long while; this watches each
process, also without a supervisor.
"""

import asyncio
import faulthandler
from collections.abc import Awaitable, Callable
from typing import Any


async def guard_event_loop(
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
    *,
    stuck_after_s: float,
) -> None:
    """Watch the loop from the start of the server to its end, by ASGI's lifespan.

    A thread that needs no interpreter writes to stderr where the process hangs, and
    ends it, unless the loop postpones that again and again.
    """
    await receive()
    await send({"type": "lifespan.startup.complete"})
    is_serving = True
    while is_serving:
        faulthandler.dump_traceback_later(stuck_after_s, exit=True)
        try:
            async with asyncio.timeout(stuck_after_s / 3):
                is_serving = (await receive())["type"] != "lifespan.shutdown"
        except TimeoutError:
            continue
    faulthandler.cancel_dump_traceback_later()
    await send({"type": "lifespan.shutdown.complete"})
