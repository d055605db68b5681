"""What is missing, too high, too short or too old is said, and only then."""

from datetime import timedelta

import numpy as np
import pytest

from sync.analytics.figures import load_figures
from sync.analytics.panels.panel import (
    MIN_FOR_NUMBERS,
    estimate_group_means,
    list_ceiling_remarks,
    list_remarks,
)
from sync.analytics.sentences import store
from sync.analytics.sentences.catalogue import NOTES
from sync.analytics.sentences.milestones import Outcome, PanelDecision
from sync.analytics.sentences.rare_notices import COOLDOWN_DAYS
from sync.analytics.stats.groups import MIN_GROUP_TO_SHOW
from sync.models import Runner, Survey
from tests.sync.analytics.runner_data import FIRST, RunnerData


@pytest.mark.parametrize(
    ("great", "answers", "is_said"),
    [(9, 20, True), (8, 20, False), (14, MIN_FOR_NUMBERS - 1, False)],
)
def test_a_ceiling_is_said_when_most_can_hardly_be_better(
    great: int, answers: int, *, is_said: bool
) -> None:
    moods = np.array([2.0] * great + [0.0] * (answers - great))

    said = [saying.text for saying in list_ceiling_remarks(moods)]

    assert said == ([NOTES["ceiling"]] if is_said else [])


@pytest.mark.parametrize(
    ("answers", "span_days", "is_said"),
    [(20, 181, True), (20, 182, False), (MIN_FOR_NUMBERS - 1, 100, False)],
)
def test_less_than_half_a_year_may_be_a_season(
    answers: int, span_days: int, *, is_said: bool
) -> None:
    days = np.linspace(0, span_days, answers)

    said = [saying.text for saying in list_remarks(None, answers, days)]

    assert said == ([NOTES["season"]] if is_said else [])


def test_a_group_is_drawn_from_eight_answers_on() -> None:
    values, days = np.zeros(15), np.arange(15.0)
    drawn = {"eight": np.arange(15) < 8, "seven": np.arange(15) >= 8}

    assert MIN_GROUP_TO_SHOW == 8
    assert list(estimate_group_means(drawn, values, days)) == ["eight"]


@pytest.mark.parametrize("told", [MIN_FOR_NUMBERS - 1, MIN_FOR_NUMBERS])
def test_a_remembered_change_is_told_of_enough_answers_and_called_so(
    runner_data: RunnerData, told: int
) -> None:
    for number in range(1, told + 1):
        runner_data.add_run(number, 5, 1, said={"before": 0})

    said = load_figures(runner_data.runtime, runner_data.runner_id).notes
    remembered = [note for note in said if note.startswith("Remembered change")]

    assert len(remembered) == (told >= MIN_FOR_NUMBERS)
    assert all("+1.0 (before is from memory" in note for note in remembered)


def test_rare_things_rest_as_long_as_was_promised() -> None:
    assert COOLDOWN_DAYS == {"more_than_usual": 28, "support": 14, "support_mail": 14}


def test_asked_are_the_questions_that_reached_this_runner(
    runner_data: RunnerData,
) -> None:
    with runner_data.runtime.db.transaction() as session:
        other = Runner(created_at=FIRST, vault_key=b"", zone="UTC")
        session.add(other)
        session.flush()
        for number, (runner_id, sent, cancelled_for) in enumerate(
            [
                (runner_data.runner_id, True, None),
                (runner_data.runner_id, False, None),
                (runner_data.runner_id, True, "run gone"),
                (other.id, True, None),
            ]
        ):
            session.add(
                build_survey(number, runner_id, sent=sent, reason=cancelled_for)
            )

    with runner_data.runtime.db.read_only() as session:
        assert store.count_asked(session, runner_data.runner_id) == 1


def build_survey(
    number: int, runner_id: int, *, sent: bool, reason: str | None
) -> Survey:
    return Survey(
        runner_id=runner_id,
        kind="run",
        token_hash=str(number),
        instrument="run-1",
        reversed_order=False,
        created_at=FIRST,
        send_at=FIRST,
        expires_at=FIRST + timedelta(days=1),
        sent_at=FIRST if sent else None,
        cancelled_for=reason,
    )


def test_what_was_decided_from_older_data_replaces_nothing_newer(
    runner_data: RunnerData,
) -> None:
    newer, older = (
        PanelDecision(30, name, Outcome("mileage.none"), decided_at=FIRST)
        for name in ("newer", "older")
    )
    for version, decided in ((5, newer), (4, older)):
        with runner_data.runtime.db.transaction() as session:
            store.save_decisions(
                session,
                runner_data.runner_id,
                runner_data.vault,
                {"mileage": decided},
                store.Look(version, 1),
            )

    with runner_data.runtime.db.read_only() as session:
        stands = store.load_decisions(session, runner_data.runner_id, runner_data.vault)
    assert stands["mileage"].digest == "newer"
