"""Fair queueing: work that may take long is done by turns, one piece for each owner.

A page of ten thousand runs takes tenths of a second.  It is made in a thread beside
that of the cheap requests, which so wait for an interpreter's switch and not for the
page; and whoever asks for a hundred such pages waits behind everybody else who asks
for one.  What waits holds no thread.

`FairGate` is the order alone, and the loop's own thread keeps one, too: of many
requests that arrive together it answers one in each of its rounds.
"""

import asyncio
import faulthandler
import os
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

Result = TypeVar("Result")


def end_process() -> None:
    """Write to stderr where each thread is, and end this process at once."""
    faulthandler.dump_traceback()
    os._exit(1)


class FairGate:
    """Lets at most `max_running` through at a time, and one of each owner.

    Clients take turns, and within what one client asks for its owners: a made-up
    name makes an owner, but no client.  All calls come from one event loop.
    """

    def __init__(self, max_running: int) -> None:
        self._max_running = max_running
        self._running: set[str] = set()
        # By client and owner; those whose turn it is next come first.
        self._waiting: OrderedDict[
            str, OrderedDict[str, deque[asyncio.Future[None]]]
        ] = OrderedDict()

    @property
    def is_full(self) -> bool:
        """Whether the next one has to wait, whoever it is."""
        return len(self._running) >= self._max_running

    @asynccontextmanager
    async def hold_turn(self, owner: str, client: str) -> AsyncIterator[None]:
        """Wait until it is the owner's turn, and hold it for the block."""
        if owner in self._running or self.is_full:
            await self._wait_for_turn(owner, client)
        else:
            self._running.add(owner)
        try:
            yield
        finally:
            self._end_turn(owner)

    async def _wait_for_turn(self, owner: str, client: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        owners = self._waiting.setdefault(client, OrderedDict())
        owners.setdefault(owner, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the turn had just come
                self._end_turn(owner)
            raise

    def _end_turn(self, owner: str) -> None:
        """Give the free place to the client, and its owner, who wait longest."""
        self._running.remove(owner)
        for client, owners in list(self._waiting.items()):
            is_given = self._give_turn(owners)
            if is_given:
                self._waiting.move_to_end(client)
            if not owners:
                del self._waiting[client]
            if is_given:
                return

    def _give_turn(self, owners: OrderedDict[str, deque[asyncio.Future[None]]]) -> bool:
        """Whether one of a client's owners was waiting and could be let through."""
        for candidate, futures in list(owners.items()):
            while futures and futures[0].cancelled():
                futures.popleft()
            if futures and candidate in self._running:
                continue
            del owners[candidate]
            if futures:
                self._running.add(candidate)
                futures.popleft().set_result(None)
                if futures:
                    owners[candidate] = futures  # behind the client's others
                return True
        return False


class FairQueue:
    """Runs work in `max_running` threads, through a `FairGate`.

    Work that takes `stuck_after_s` ends the process: the server starts another one.
    """

    def __init__(self, max_running: int, *, stuck_after_s: float) -> None:
        self._gate = FairGate(max_running)
        self._stuck_after_s = stuck_after_s
        self._threads = ThreadPoolExecutor(max_running, thread_name_prefix="by-turns")

    async def run(self, owner: str, client: str, work: Callable[[], Result]) -> Result:
        """Call `work` in a thread when it is its owner's turn; return its result."""
        async with self._gate.hold_turn(owner, client):
            loop = asyncio.get_running_loop()
            watchdog = loop.call_later(self._stuck_after_s, end_process)
            try:
                return await loop.run_in_executor(self._threads, work)
            finally:
                watchdog.cancel()
