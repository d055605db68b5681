"""What something costs, in counts: statements, calls in Python, SQLite's own steps.

Unlike seconds they are the same on any machine and beside any other work.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from types import FrameType
from typing import Any

from sqlalchemy import Engine, event

_STEPS = 10  # of SQLite's instructions, which are too many to be told of each


@dataclass
class Cost:
    statements: int = 0
    calls: int = 0
    steps: int = 0

    def __sub__(self, other: "Cost") -> "Cost":
        own_counts, other_counts = astuple(self), astuple(other)
        return Cost(*(a - b for a, b in zip(own_counts, other_counts, strict=True)))


def measure_cost(engine: Engine, work: Callable[[], object]) -> Cost:
    """Do the work, in this thread and on SQLite, and count."""
    cost = Cost()

    def step() -> None:
        cost.steps += 1

    def statement(*arguments: Any) -> None:
        cost.statements += 1
        cursor = arguments[1]
        cursor.connection.set_progress_handler(step, _STEPS)

    def count_call(frame: FrameType, event_name: str, _: object) -> None:
        if event_name in {"call", "c_call"} and frame.f_code is not step.__code__:
            cost.calls += 1

    event.listen(engine, "before_cursor_execute", statement)
    gc.collect()
    gc.disable()  # when it runs, and what it then calls, depends on what ran before
    sys.setprofile(count_call)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
        event.remove(engine, "before_cursor_execute", statement)
        engine.dispose()
    return cost


def grows_too_fast(costs: Sequence[Cost]) -> list[str]:
    """Say what more than doubles of what is added, as n, 2n and 4n rows are done.

    What is the same however many they are falls out of the differences.
    """
    first, second, third = costs
    added, added_next = second - first, third - second
    return [
        f"{kind.name}: +{once}, then +{twice}"
        for kind in fields(Cost)
        for once, twice in [(getattr(added, kind.name), getattr(added_next, kind.name))]
        if twice > 2.2 * once + _loose(getattr(first, kind.name))
    ]


def _loose(count: int) -> float:
    """Return how much may come from what is done for some rows at a time."""
    return 0.1 * count + 10
