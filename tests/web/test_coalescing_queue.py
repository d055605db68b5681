"""Wake-ups behind the scenes: none is lost, and nobody waits for a slow Redis."""

from collections.abc import Callable
from threading import Event

from typing_extensions import override

from sync.queue import Work
from tests.support.recording_queue import RecordingQueue
from tests.support.servers import wait_for
from web.coalescing_queue import Bell


class SlowQueue(RecordingQueue):
    """A queue that gets stuck in its first wake-up until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_ringing, self.let_go = Event(), Event()

    @override
    def wake(self, work: Work, *, after_s: float = 0) -> None:
        self.is_ringing.set()
        self.let_go.wait()
        super().wake(work, after_s=after_s)


def has(queue: RecordingQueue, *works: Work) -> Callable[[], bool]:
    return lambda: queue.woken_up == list(works)


def test_each_kind_of_work_is_woken() -> None:
    queue = RecordingQueue()
    bell = Bell(queue)

    bell.wake(Work.OUTBOX)
    wait_for(has(queue, Work.OUTBOX))
    bell.wake(Work.INBOX)

    wait_for(has(queue, Work.OUTBOX, Work.INBOX))


def test_what_comes_while_it_rings_is_rung_once_afterwards() -> None:
    queue = SlowQueue()
    bell = Bell(queue)

    bell.wake(Work.INBOX)
    queue.is_ringing.wait()
    for _ in range(1000):  # nobody waits, though the queue is stuck
        bell.wake(Work.INBOX)
    queue.let_go.set()

    wait_for(has(queue, Work.INBOX, Work.INBOX))


def test_a_later_wake_up_is_handed_on_with_its_time() -> None:
    queue = RecordingQueue()

    Bell(queue).wake(Work.BACKFILL, after_s=30)

    assert queue.later == [(Work.BACKFILL, 30)]
