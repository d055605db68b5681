"""Every reason of a decision has its words, in each language."""

import pytest

from sync.language import activate_language
from sync.surveys.policy.explanations import explain_decision, label_reason
from sync.vocabulary import CancellationReason, DecisionReason, SuppressionReason

SENT = {
    DecisionReason.AFTER_RUN,
    DecisionReason.NEXT_MORNING,
    DecisionReason.DRAWN_TIME,
}


@pytest.mark.parametrize("reason", sorted(set(DecisionReason) - SENT))
def test_every_reason_against_asking_has_a_sentence_and_a_label(
    reason: DecisionReason,
) -> None:
    sentence = explain_decision(reason, 900)

    assert sentence.startswith("No survey: ")
    assert sentence.endswith(".")
    assert label_reason(reason)[0].isupper()


@pytest.mark.parametrize("reason", DecisionReason)
def test_every_reason_is_said_in_german(reason: DecisionReason) -> None:
    english = explain_decision(reason, 900), label_reason(reason)
    with activate_language("de"):
        german = explain_decision(reason, 900), label_reason(reason)

    clauses = [sentence.split(": ")[-1] for sentence in (english[0], german[0])]
    assert clauses[0] != clauses[1]
    assert german[1] != english[1]


def test_what_ends_a_survey_or_its_mail_is_a_reason_of_the_decision_too() -> None:
    of_reminders = {
        SuppressionReason.SURVEY_NOT_SENT,
        SuppressionReason.SURVEY_JUST_SENT,
    }

    without = {reason for reason in SuppressionReason if reason.as_decision is None}

    assert without == of_reminders | {SuppressionReason.IMPORTED}
    assert all(
        reason.as_decision.value == reason.value for reason in CancellationReason
    )


def test_ages_are_counted_in_german() -> None:
    with activate_language("de"):
        ages = [
            explain_decision(DecisionReason.TOO_OLD, minutes)
            for minutes in (1, 61, 3000)
        ]

    assert [sentence.split(" war ")[1] for sentence in ages] == [
        f"{age} alt, als Strava ihn meldete."
        for age in ("1 Minute", "1 Stunde", "2 Tage")
    ]


@pytest.mark.parametrize(
    ("minutes", "age"),
    [(14 * 60 + 20, "14 hours"), (59, "59 minutes"), (60, "1 hour"), (3000, "2 days")],
)
def test_how_old_the_run_was_is_said(minutes: int, age: str) -> None:
    sentence = explain_decision(DecisionReason.TOO_OLD, minutes)

    assert sentence == f"No survey: the run was {age} old when Strava told us."


def test_an_unknown_age_is_not_made_up() -> None:
    assert "too old when" in explain_decision(DecisionReason.TOO_OLD)


def test_a_survey_that_was_sent_says_when() -> None:
    assert explain_decision(DecisionReason.AFTER_RUN) == "Asked after the run."
    assert "morning" in explain_decision(DecisionReason.NEXT_MORNING)
