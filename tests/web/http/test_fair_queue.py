"""Whoever wants much waits for everybody who wants little, and holds up nobody."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from functools import partial
from threading import Event, Lock, get_ident
from typing import Any, TypeVar

import pytest

from web.http.fair_queue import FairQueue

TIMEOUT_S = 10
Result = TypeVar("Result")


class RecordedWork:
    """Work that records who did it, and waits until it may end."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.threads: set[int] = set()
        self.running: Counter[str] = Counter()
        self.peaks: Counter[str] = Counter()
        self.most_at_once = 0
        self.gate = Event()
        self._lock = Lock()

    def work(self, owner: str) -> str:
        with self._lock:
            self.order.append(owner)
            self.threads.add(get_ident())
            self.running[owner] += 1
            self.peaks[owner] = max(self.peaks[owner], self.running[owner])
            self.most_at_once = max(self.most_at_once, self.running.total())
        assert self.gate.wait(TIMEOUT_S)
        with self._lock:
            self.running[owner] -= 1
        return owner


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(asyncio.wait_for(work, TIMEOUT_S))


async def start(queue: FairQueue, recorded: RecordedWork, owners: str) -> list[Any]:
    """Begin one piece of work for each letter, and let all of them queue up."""
    tasks = [
        asyncio.create_task(queue.run(owner, partial(recorded.work, owner)))
        for owner in owners
    ]
    await asyncio.sleep(0.02)
    return tasks


def test_owners_take_turns_however_much_one_of_them_wants() -> None:
    queue, recorded = FairQueue(1, stuck_after_s=TIMEOUT_S), RecordedWork()

    async def journey() -> list[str]:
        tasks = await start(queue, recorded, "aaaaaaaabbc")
        recorded.gate.set()
        return list(await asyncio.gather(*tasks))

    results = run(journey())

    assert results == list("aaaaaaaabbc")
    assert "".join(recorded.order) == "aabcabaaaaa"
    assert recorded.most_at_once == 1


def test_an_owner_has_one_piece_of_work_at_a_time_and_all_together_so_many() -> None:
    queue, recorded = FairQueue(2, stuck_after_s=TIMEOUT_S), RecordedWork()

    async def journey() -> tuple[list[str], list[str]]:
        tasks = await start(queue, recorded, "aaa")
        alone = list(recorded.order)
        tasks += await start(queue, recorded, "bbcc")
        together = list(recorded.order)
        recorded.gate.set()
        await asyncio.gather(*tasks)
        return alone, together

    alone, together = run(journey())

    assert (alone, together) == (["a"], ["a", "b"])
    assert recorded.most_at_once == 2
    assert set(recorded.peaks.values()) == {1}
    assert Counter(recorded.order) == Counter("aaabbcc")


def test_the_loop_goes_on_while_work_is_done_and_no_thread_waits() -> None:
    queue, recorded = FairQueue(1, stuck_after_s=TIMEOUT_S), RecordedWork()

    async def journey() -> None:
        tasks = await start(queue, recorded, "ab" * 50)
        for _ in range(100):  # a hundred cheap requests in between
            await asyncio.sleep(0)
        recorded.gate.set()
        await asyncio.gather(*tasks)

    run(journey())

    assert len(recorded.threads) == 1
    assert get_ident() not in recorded.threads


def test_work_that_fails_or_is_given_up_leaves_its_place_to_the_next() -> None:
    queue, recorded = FairQueue(1, stuck_after_s=TIMEOUT_S), RecordedWork()

    def fail() -> None:
        raise ZeroDivisionError

    async def journey() -> list[str]:
        [first, *cancelled] = await start(queue, recorded, "abbc")
        last = await start(queue, recorded, "bd")
        for task in cancelled:
            task.cancel()
        recorded.gate.set()
        done = [await first, *await asyncio.gather(*last)]
        with pytest.raises(ZeroDivisionError):
            await queue.run("a", fail)
        await queue.run("a", recorded.gate.is_set)
        return done

    assert run(journey()) == ["a", "b", "d"]
    assert recorded.order == ["a", "b", "d"]


def test_a_turn_that_comes_to_one_who_is_just_leaving_goes_to_the_next() -> None:
    queue, recorded = FairQueue(1, stuck_after_s=TIMEOUT_S), RecordedWork()

    async def journey() -> str:
        first, leaving, last = await start(queue, recorded, "abc")
        recorded.gate.set()
        await first  # its place has just been given to the second
        leaving.cancel()
        await asyncio.wait([leaving])
        return str(await last)

    assert run(journey()) == "c"
