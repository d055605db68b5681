"""A queue that only notes what it was asked to do."""

from typing_extensions import override

from sync.queue import Queue, Work


class RecordingQueue(Queue):
    def __init__(self) -> None:
        self.woken_up: list[Work] = []
        self.later: list[tuple[Work, float]] = []

    @override
    def wake(self, work: Work, *, after_s: float = 0) -> None:
        if after_s:
            self.later.append((work, after_s))
        else:
            self.woken_up.append(work)

    @override
    def woken(self, work: Work) -> None:
        pass
