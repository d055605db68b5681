"""Wake-ups sent by a thread, so that no answer waits for Redis.

Redis may be slow, frozen or away, and Strava still wants its 200.  While one
wake-up is on its way the next ones gather, so a thousand events cost a few.
"""

from threading import Event, Lock, Thread
from time import sleep

from typing_extensions import override

from sync.queue import Job, Queue

PAUSE_S = 0.02


class CoalescingQueue(Queue):
    """Forwards wake-ups to another queue, once each `PAUSE_S` and kind of work."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._pending: set[Job] = set()
        self._has_pending = Event()
        self._lock = Lock()
        self._thread: Thread | None = None

    @override
    def wake(self, job: Job, *, after_s: float = 0) -> None:
        if after_s:
            self._queue.wake(job, after_s=after_s)
            return
        with self._lock:
            self._pending.add(job)
            if self._thread is None:  # not before: the process may still fork
                self._thread = Thread(target=self.flush_forever, daemon=True)
                self._thread.start()
        self._has_pending.set()

    @override
    def mark_started(self, job: Job) -> None:
        self._queue.mark_started(job)

    def flush_forever(self) -> None:
        """Forward pending wake-ups; the thread never ends."""
        while self._has_pending.wait():
            self._has_pending.clear()
            with self._lock:
                pending, self._pending = self._pending, set()
            for job in sorted(pending):
                self._queue.wake(job)
            sleep(PAUSE_S)
