"""When a sentence is decided, and how long it stands."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

import numpy as np

from sync.analytics.sentences.localized_text import Finding
from sync.analytics.stats.series import Floats, Ints

FIRST_MILESTONE = 30
RULES = 1  # raise it when a rule changes, so that old sentences are decided anew
WITHDRAWN = Finding("withdrawn")


@dataclass(frozen=True, slots=True)
class Question:
    """One panel's question to its data, rows oldest first.

    counted    answers that count after each row, shape (n,), never falling
    rows       every number the finding rests on, shape (n, k)
    look       decides from the first so many rows
    """

    name: str
    counted: Ints
    rows: Floats
    look: Callable[[int], Finding]

    @property
    def answers(self) -> int:
        return int(self.counted[-1]) if len(self.counted) else 0


@dataclass(frozen=True, slots=True)
class Decided:
    """A sentence that stands until the next milestone.

    `revised_at` is set when runs or answers behind it changed afterwards.
    """

    milestone: int
    digest: str
    finding: Finding
    decided_at: datetime
    revised_at: datetime | None = None
    rules: int = RULES


def last_milestone(answers: int) -> int:
    """Find the greatest of 30, 60, 120, 240 … that is reached; 0 before it."""
    if answers < FIRST_MILESTONE:
        return 0
    return FIRST_MILESTONE << (answers // FIRST_MILESTONE).bit_length() - 1


def next_milestone(answers: int) -> int:
    return 2 * last_milestone(answers) or FIRST_MILESTONE


def settle(
    question: Question, stored: Decided | None, *, now: datetime
) -> Decided | None:
    """Say what is decided now, given what was.

    A look sees exactly the answers up to its milestone, so the same data give
    the same sentence whenever and however often they are looked at, and ten
    visits to the page are still one look. An edit or a delete behind a standing
    sentence decides it again, and says so.
    """
    milestone = last_milestone(question.answers)
    if milestone == 0:
        return _taken_back(stored, now)
    many = int(np.searchsorted(question.counted, milestone)) + 1
    digest = _digest(question.rows[:many])
    if stored is not None and stored.rules == RULES and stored.digest == digest:
        return stored
    fresh = Decided(milestone, digest, question.look(many), decided_at=now)
    if stored is None or stored.rules != RULES or stored.milestone < milestone:
        return fresh
    return replace(fresh, decided_at=stored.decided_at, revised_at=now)


def _taken_back(stored: Decided | None, now: datetime) -> Decided | None:
    if stored is None or stored.milestone == 0:
        return stored
    return replace(stored, milestone=0, digest="", finding=WITHDRAWN, revised_at=now)


def _digest(rows: Floats) -> str:
    return blake2b(np.ascontiguousarray(rows).tobytes(), digest_size=16).hexdigest()
