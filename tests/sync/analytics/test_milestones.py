"""A sentence is decided at milestones and stands in between."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sync.analytics.sentences.milestones import (
    WITHDRAWN,
    Outcome,
    PanelDecision,
    PanelQuestion,
    decide_question,
    find_last_milestone,
    find_next_milestone,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=3)


def build_question(
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> PanelQuestion:
    """Say the sum of what was looked at."""

    def decide(count: int) -> Outcome:
        return Outcome("mileage.none", {"n": count, "sum": float(values[:count].sum())})

    counted = np.arange(1, len(values) + 1)
    return PanelQuestion("mileage", counted, values[:, None], decide)


def decide_sentence(
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> PanelDecision:
    decision = decide_question(build_question(values), None, now=NOON)
    assert decision is not None
    return decision


@pytest.mark.parametrize(
    ("answers", "last", "following"),
    [
        (0, 0, 30),
        (29, 0, 30),
        (30, 30, 60),
        (59, 30, 60),
        (60, 60, 120),
        (119, 60, 120),
        (120, 120, 240),
        (1000, 960, 1920),
    ],
)
def test_milestones_double(answers: int, last: int, following: int) -> None:
    assert find_last_milestone(answers) == last
    assert find_next_milestone(answers) == following


def test_nothing_is_decided_before_thirty() -> None:
    assert decide_question(build_question(np.ones(29)), None, now=NOON) is None


def test_a_look_sees_exactly_the_answers_of_its_milestone() -> None:
    assert decide_sentence(np.ones(47)).outcome.facts["n"] == 30


def test_a_sentence_stands_until_the_next_milestone() -> None:
    first = decide_sentence(np.ones(30))

    between = decide_question(
        build_question(np.append(np.ones(30), np.full(29, 9))), first, now=LATER
    )
    at_next = decide_question(
        build_question(np.append(np.ones(30), np.full(30, 9))), first, now=LATER
    )

    assert between is first
    assert at_next is not None
    assert (at_next.milestone, at_next.decided_at) == (60, LATER)
    assert at_next.revised_at is None


def test_an_edit_behind_a_sentence_decides_it_again_and_says_so() -> None:
    first = decide_sentence(np.ones(40))
    edited = np.ones(40)
    edited[3] = 5

    again = decide_question(build_question(edited), first, now=LATER)

    assert again is not None
    assert again.outcome.facts["sum"] == 34
    assert (again.decided_at, again.revised_at) == (NOON, LATER)


def test_an_edit_after_the_milestone_touches_nothing() -> None:
    first = decide_sentence(np.ones(40))
    edited = np.ones(40)
    edited[35] = 5

    assert decide_question(build_question(edited), first, now=LATER) is first


def test_a_delete_below_the_milestone_takes_the_sentence_back() -> None:
    first = decide_sentence(np.ones(30))

    gone = decide_question(build_question(np.ones(28)), first, now=LATER)

    assert gone is not None
    assert (gone.outcome, gone.revised_at) == (WITHDRAWN, LATER)
    assert decide_question(build_question(np.ones(28)), gone, now=LATER) is gone


def test_a_changed_rule_decides_anew_without_blaming_the_data() -> None:
    first = decide_sentence(np.ones(30))
    old = PanelDecision(first.milestone, first.digest, WITHDRAWN, NOON, rules_version=0)

    found = decide_question(build_question(np.ones(30)), old, now=LATER)

    assert found is not None
    assert found.outcome == first.outcome
    assert found.revised_at is None
