"""Wake-ups coalesce, and each drain clears its own, so that none is swallowed."""

from collections.abc import Callable

import pytest
from typing_extensions import override

from sync.inbox import handle
from sync.mail import deliver
from sync.queue import Queue, Work
from sync.runs import backfill
from sync.runtime import Runtime
from sync.surveys.sending import decide_runs
from tests.support.recording_queue import RecordingQueue


class Noting(RecordingQueue):
    def __init__(self) -> None:
        super().__init__()
        self.cleared: list[Work] = []

    @override
    def woken(self, work: Work) -> None:
        self.cleared.append(work)


@pytest.fixture
def queue() -> Noting:
    return Noting()


@pytest.mark.parametrize(
    ("drain", "work"),
    [
        (handle.drain, Work.INBOX),
        (backfill.drain, Work.BACKFILL),
        (decide_runs.drain, Work.SURVEYS),
        (deliver.deliver_due, Work.OUTBOX),
    ],
)
def test_a_drain_clears_its_wake_up_before_it_looks(
    runtime: Runtime, queue: Queue, drain: Callable[[Runtime], object], work: Work
) -> None:
    drain(runtime)

    assert isinstance(queue, Noting)
    assert queue.cleared == [work]
