"""Wake-ups coalesce, and each drain clears its own, so that none is swallowed."""

from collections.abc import Callable

import pytest
from typing_extensions import override

from sync.inbox import handle
from sync.mail import deliver
from sync.queue import Job, Queue
from sync.runs import backfill
from sync.runtime import Runtime
from sync.surveys.sending import decide_runs
from tests.support.recording_queue import RecordingQueue


class AcknowledgementQueue(RecordingQueue):
    def __init__(self) -> None:
        super().__init__()
        self.cleared: list[Job] = []

    @override
    def mark_started(self, job: Job) -> None:
        self.cleared.append(job)


@pytest.fixture
def queue() -> AcknowledgementQueue:
    return AcknowledgementQueue()


@pytest.mark.parametrize(
    ("drain", "work"),
    [
        (handle.process_due, Job.INBOX),
        (backfill.process_due, Job.BACKFILL),
        (decide_runs.process_due, Job.SURVEYS),
        (deliver.deliver_due, Job.OUTBOX),
    ],
)
def test_a_drain_clears_its_wake_up_before_it_looks(
    runtime: Runtime, queue: Queue, drain: Callable[[Runtime], object], work: Job
) -> None:
    drain(runtime)

    assert isinstance(queue, AcknowledgementQueue)
    assert queue.cleared == [work]
