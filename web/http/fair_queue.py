"""Fair queueing: work that may take long is done by turns, one piece for each owner.

A page of ten thousand runs takes tenths of a second.  It is made in a thread beside
that of the cheap requests, which so wait for an interpreter's switch and not for the
page; and whoever asks for a hundred such pages waits behind everybody else who asks
for one.  What waits holds no thread.
"""

import asyncio
import faulthandler
import os
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def end_process() -> None:
    """Write to stderr where each thread is, and end this process at once."""
    faulthandler.dump_traceback()
    os._exit(1)


class FairQueue:
    """Runs at most `max_running` pieces of work at a time, and one of each owner.

    The owners that wait take turns; all calls come from one event loop.  Work that
    takes `stuck_after_s` ends the process: the server starts another one.
    """

    def __init__(self, max_running: int, *, stuck_after_s: float) -> None:
        self._max_running = max_running
        self._stuck_after_s = stuck_after_s
        self._threads = ThreadPoolExecutor(max_running, thread_name_prefix="by-turns")
        self._running: set[str] = set()
        # The owner whose turn it is next comes first.
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def run(self, owner: str, work: Callable[[], Result]) -> Result:
        """Call `work` in a thread when it is its owner's turn; return its result."""
        if owner in self._running or len(self._running) >= self._max_running:
            await self._wait_for_turn(owner)
        else:
            self._running.add(owner)
        loop = asyncio.get_running_loop()
        watchdog = loop.call_later(self._stuck_after_s, end_process)
        try:
            return await loop.run_in_executor(self._threads, work)
        finally:
            watchdog.cancel()
            self._end_turn(owner)

    async def _wait_for_turn(self, owner: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the turn had just come
                self._end_turn(owner)
            raise

    def _end_turn(self, owner: str) -> None:
        """Give the free place to the owner who waits longest for a turn."""
        self._running.remove(owner)
        for candidate, futures in list(self._waiting.items()):
            while futures and futures[0].cancelled():
                futures.popleft()
            if futures and candidate in self._running:
                continue
            del self._waiting[candidate]
            if futures:
                self._running.add(candidate)
                futures.popleft().set_result(None)
                if futures:
                    self._waiting[candidate] = futures  # behind all others
                return
