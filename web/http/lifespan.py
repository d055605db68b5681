"""What a web process does besides answering: it watches itself and its clients."""

import asyncio
import faulthandler
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

# After the start the server begins to listen, and the loop runs on.
_LISTENING_AFTER_S = 0.1


async def run_lifespan(
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
    *,
    stuck_after_s: float,
    stalled_after_s: float,
) -> None:
    """Watch the event loop from the start of the server to its end, by ASGI's lifespan.

    A process handles one request after the other, so one that never ends stops all.
    A thread that needs no interpreter then writes to stderr where the process hangs,
    and ends it, unless the loop postpones that again and again; the server starts
    another process.  The supervisor asks the server as a whole, and waits longer.
    """
    await receive()
    loop = asyncio.get_running_loop()
    loop.call_later(_LISTENING_AFTER_S, end_stalled_connections, stalled_after_s)
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


def end_stalled_connections(after_s: float) -> None:
    """Let the system end each connection whose client takes nothing for `after_s`.

    The server itself waits for ever until a client has taken the last of an answer.
    Connections inherit the option from the socket that listens; it is Linux's.
    """
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        return
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as one:
            if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                one.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(after_s * 1000)
                )
