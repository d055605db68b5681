"""When a sentence is decided, and how long it stands."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

import numpy as np

from sync.analytics.sentences.localized_text import Finding
from sync.analytics.stats.series import Floats, Ints

FIRST_MILESTONE = 30
RULES_VERSION = (
    1  # raise it when a rule changes, so that old sentences are decided anew
)
WITHDRAWN = Finding("withdrawn")


@dataclass(frozen=True, slots=True)
class PanelQuestion:
    """One panel's question to its data, rows oldest first.

    counted    answers that count after each row, shape (n,), never falling
    rows       every number the finding rests on, shape (n, k)
    look       decides from the first so many rows
    """

    name: str
    cumulative_answers: Ints
    rows: Floats
    evaluate: Callable[[int], Finding]

    @property
    def answer_count(self) -> int:
        return int(self.cumulative_answers[-1]) if len(self.cumulative_answers) else 0


@dataclass(frozen=True, slots=True)
class PanelDecision:
    """A sentence that stands until the next milestone.

    `revised_at` is set when runs or answers behind it changed afterwards.
    """

    milestone: int
    digest: str
    finding: Finding
    decided_at: datetime
    revised_at: datetime | None = None
    rules_version: int = RULES_VERSION


def find_last_milestone(answer_count: int) -> int:
    """Find the greatest of 30, 60, 120, 240 … that is reached; 0 before it."""
    if answer_count < FIRST_MILESTONE:
        return 0
    return FIRST_MILESTONE << (answer_count // FIRST_MILESTONE).bit_length() - 1


def find_next_milestone(answer_count: int) -> int:
    return 2 * find_last_milestone(answer_count) or FIRST_MILESTONE


def decide_question(
    question: PanelQuestion, stored: PanelDecision | None, *, now: datetime
) -> PanelDecision | None:
    """Say what is decided now, given what was.

    A look sees exactly the answers up to its milestone, so the same data give
    the same sentence whenever and however often they are looked at, and ten
    visits to the page are still one look. An edit or a delete behind a standing
    sentence decides it again, and says so.
    """
    milestone = find_last_milestone(question.answer_count)
    if milestone == 0:
        return _withdraw(stored, now)
    n_rows = int(np.searchsorted(question.cumulative_answers, milestone)) + 1
    digest = _hash_rows(question.rows[:n_rows])
    if (
        stored is not None
        and stored.rules_version == RULES_VERSION
        and stored.digest == digest
    ):
        return stored
    decision = PanelDecision(
        milestone, digest, question.evaluate(n_rows), decided_at=now
    )
    if (
        stored is None
        or stored.rules_version != RULES_VERSION
        or stored.milestone < milestone
    ):
        return decision
    return replace(decision, decided_at=stored.decided_at, revised_at=now)


def _withdraw(stored: PanelDecision | None, now: datetime) -> PanelDecision | None:
    if stored is None or stored.milestone == 0:
        return stored
    return replace(stored, milestone=0, digest="", finding=WITHDRAWN, revised_at=now)


def _hash_rows(rows: Floats) -> str:
    return blake2b(np.ascontiguousarray(rows).tobytes(), digest_size=16).hexdigest()
