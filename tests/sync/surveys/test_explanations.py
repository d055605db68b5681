"""Every reason that the policy or the outbox can give has its sentence."""

import re
from pathlib import Path

import pytest

from sync.language import activate_language
from sync.surveys.policy import explanations, frequency, run_decision
from sync.surveys.policy.explanations import explain_decision

_REASON = re.compile(r'return "([a-z ]+)"|Suppress\("([a-z ]+)"\)|\("([a-z ]+)" if')

OF_THE_OUTBOX = {"bounced", "stale", "refused", "run gone", "skipped", "answered"}


def list_reasons() -> set[str]:
    """Find the reasons in the rules themselves, so that none can be forgotten."""
    text = "".join(Path(str(m.__file__)).read_text() for m in (run_decision, frequency))
    return {next(filter(None, groups)) for groups in _REASON.findall(text)}


def test_the_rules_give_the_reasons_we_know() -> None:
    assert {
        "too old",
        "one a day",
        "quiet hours",
        "one of many at once",
    } <= list_reasons()


@pytest.mark.parametrize("reason", sorted(list_reasons()))
def test_every_reason_has_a_sentence(reason: str) -> None:
    sentence = explain_decision("withhold", reason, 900)

    assert sentence.startswith("No survey: ")
    assert sentence != f"No survey: {reason}."


@pytest.mark.parametrize("reason", sorted(list_reasons() | OF_THE_OUTBOX))
def test_every_reason_is_said_in_german(reason: str) -> None:
    with activate_language("de"):
        sentence = explain_decision("withhold", reason, 900)

    clause = sentence.removeprefix("Keine Frage: ")
    assert clause != sentence
    assert clause[:-1] not in explain_decision("withhold", reason, 900)


def test_ages_are_counted_in_german() -> None:
    with activate_language("de"):
        ages = [
            explain_decision("withhold", "too old", minutes)
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
    sentence = explain_decision("withhold", "too old", minutes)

    assert sentence == f"No survey: the run was {age} old when Strava told us."


def test_an_unknown_age_is_not_made_up() -> None:
    assert "too old when" in explain_decision("withhold", "too old")


def test_a_survey_that_was_sent_says_when() -> None:
    assert explain_decision("send", "after the run") == "Asked after the run."
    assert "morning" in explain_decision("send", "next morning")


def test_reasons_of_the_outbox_have_sentences_too() -> None:
    for reason in OF_THE_OUTBOX:
        assert explain_decision("withhold", reason) != f"No survey: {reason}."
    assert (
        explanations.explain_decision("withhold", "something new")
        == "No survey: something new."
    )
