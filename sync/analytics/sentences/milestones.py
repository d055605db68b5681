"""The milestones at which a sentence is decided, and until which it stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b

import numpy as np

from sync.analytics.sentences.catalogue import Fact
from sync.analytics.stats.series import Floats, Ints

FIRST_MILESTONE = 30
# Raise it when a rule changes, so that old sentences are decided anew.
RULES_VERSION = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a question at a milestone, as it is stored.

    `sentence_key` names the panel and the verdict; distances are facts in metres.
    """

    sentence_key: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Return the key's end: higher, lower, best, early, none or withdrawn."""
        return self.sentence_key.rpartition(".")[2]


WITHDRAWN = Outcome("withdrawn")


@dataclass(frozen=True, slots=True)
class PanelQuestion:
    """One panel's question to its data, rows oldest first.

    cumulative_answers  answers that count up to each row, shape (n,), ascending
    rows                every number that the outcome rests on, shape (n, k)
    evaluate            decides from the first n_rows rows
    """

    name: str
    cumulative_answers: Ints
    rows: Floats
    evaluate: Callable[[int], Outcome]

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
    outcome: Outcome
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
    """Return the decision that stands now, given the stored one.

    A decision uses exactly the answers up to its milestone, so the same data give
    the same sentence at every visit, and ten visits to the page are still one look.
    An edit or a delete behind a standing sentence decides it again and sets
    `revised_at`.  Below the first milestone a stored sentence is withdrawn.
    """
    milestone = find_last_milestone(question.answer_count)
    if milestone == 0:
        if stored is None or stored.milestone == 0:
            return stored
        return replace(
            stored, milestone=0, digest="", outcome=WITHDRAWN, revised_at=now
        )
    n_rows = int(np.searchsorted(question.cumulative_answers, milestone)) + 1
    contents = np.ascontiguousarray(question.rows[:n_rows]).tobytes()
    digest = blake2b(contents, digest_size=16).hexdigest()
    is_current = stored is not None and stored.rules_version == RULES_VERSION
    if stored is not None and is_current and stored.digest == digest:
        return stored
    decision = PanelDecision(
        milestone, digest, question.evaluate(n_rows), decided_at=now
    )
    if stored is None or not is_current or stored.milestone < milestone:
        return decision
    return replace(decision, decided_at=stored.decided_at, revised_at=now)
