"""Wake-ups behind the scenes: none is lost, and nobody waits for a slow Redis."""

from collections.abc import Callable
from threading import Event

from typing_extensions import override

from sync.queue import Job
from tests.support.recording_queue import RecordingQueue
from tests.support.servers import wait_until
from web.coalescing_queue import CoalescingQueue


class SlowQueue(RecordingQueue):
    """A queue that gets stuck in its first wake-up until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_ringing, self.let_go = Event(), Event()

    @override
    def wake(self, job: Job, *, after_s: float = 0) -> None:
        self.is_ringing.set()
        self.let_go.wait()
        super().wake(job, after_s=after_s)


def has(queue: RecordingQueue, *works: Job) -> Callable[[], bool]:
    return lambda: queue.wakes == list(works)


def test_each_kind_of_work_is_woken() -> None:
    queue = RecordingQueue()
    coalescing_queue = CoalescingQueue(queue)

    coalescing_queue.wake(Job.OUTBOX)
    wait_until(has(queue, Job.OUTBOX))
    coalescing_queue.wake(Job.INBOX)

    wait_until(has(queue, Job.OUTBOX, Job.INBOX))


def test_what_comes_while_it_rings_is_rung_once_afterwards() -> None:
    queue = SlowQueue()
    coalescing_queue = CoalescingQueue(queue)

    coalescing_queue.wake(Job.INBOX)
    queue.is_ringing.wait()
    for _ in range(1000):  # nobody waits, though the queue is stuck
        coalescing_queue.wake(Job.INBOX)
    queue.let_go.set()

    wait_until(has(queue, Job.INBOX, Job.INBOX))


def test_a_later_wake_up_is_handed_on_with_its_time() -> None:
    queue = RecordingQueue()

    CoalescingQueue(queue).wake(Job.BACKFILL, after_s=30)

    assert queue.delayed_wakes == [(Job.BACKFILL, 30)]
