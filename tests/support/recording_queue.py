"""A queue that only notes what it was asked to do."""

from typing_extensions import override

from sync.queue import Job, Queue


class RecordingQueue(Queue):
    def __init__(self) -> None:
        self.wakes: list[Job] = []
        self.delayed_wakes: list[tuple[Job, float]] = []

    @override
    def wake(self, job: Job, *, after_s: float = 0) -> None:
        if after_s:
            self.delayed_wakes.append((job, after_s))
        else:
            self.wakes.append(job)

    @override
    def mark_started(self, job: Job) -> None:
        pass
