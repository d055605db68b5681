"""Wake-ups that no answer waits for: a thread of its own rings for all of them.

Redis may be slow, frozen or away; Strava wants its 200 all the same.  While one
wake-up is on its way the next ones gather, so a thousand events cost a few.
"""

from threading import Event, Lock, Thread
from time import sleep

from typing_extensions import override

from sync.queue import Queue, Work

PAUSE_S = 0.02


class Bell(Queue):
    """Stands before another queue and rings it later, by at most a moment."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._wanted: set[Work] = set()
        self._is_wanted = Event()
        self._lock = Lock()
        self._ringer: Thread | None = None

    @override
    def wake(self, work: Work, *, after_s: float = 0) -> None:
        if after_s:
            self._queue.wake(work, after_s=after_s)
            return
        with self._lock:
            self._wanted.add(work)
            if self._ringer is None:  # not before: the process may still fork
                self._ringer = Thread(target=self._ring, daemon=True)
                self._ringer.start()
        self._is_wanted.set()

    @override
    def woken(self, work: Work) -> None:
        self._queue.woken(work)

    def _ring(self) -> None:
        while self._is_wanted.wait():
            self._is_wanted.clear()
            with self._lock:
                wanted, self._wanted = self._wanted, set()
            for work in sorted(wanted):
                self._queue.wake(work)
            sleep(PAUSE_S)
