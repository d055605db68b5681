"""The request bodies that are still arriving: their number has a bound.

While all seats are taken, a new body gets the seat of another one: of the client
that holds most, the one that has waited longest.  A client that fills the seats thus
ends its own requests.  An honest body arrives at once and needs its seat for a
moment.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias
from wsgiref.types import WSGIEnvironment

FindClient: TypeAlias = Callable[[WSGIEnvironment], str | None]


@dataclass(eq=False)
class WaitingBody:
    """A body that is arriving, and the timeout that ends the waiting for it."""

    environ: WSGIEnvironment
    timeout: asyncio.Timeout
    find_client: FindClient

    @cached_property
    def client(self) -> str | None:
        return self.find_client(self.environ)


class WaitingBodies:
    """At most `max_count` bodies, in the order in which they began."""

    def __init__(self, max_count: int, find_client: FindClient) -> None:
        self._max_count = max_count
        self._find_client = find_client
        self._bodies: dict[WaitingBody, None] = {}

    @contextmanager
    def hold_seat(
        self, environ: WSGIEnvironment, timeout: asyncio.Timeout
    ) -> Iterator[None]:
        """Hold a seat for the block; if it is given away, `timeout` expires at once."""
        if len(self._bodies) >= self._max_count:
            self._end_one()
        body = WaitingBody(environ, timeout, self._find_client)
        self._bodies[body] = None
        try:
            yield
        finally:
            self._bodies.pop(body, None)

    def _end_one(self) -> None:
        counts = Counter(body.client for body in self._bodies)
        most = max(counts.values())
        ended = next(body for body in self._bodies if counts[body.client] == most)
        del self._bodies[ended]
        if not ended.timeout.expired():
            ended.timeout.reschedule(asyncio.get_running_loop().time())
