"""What a survey asks: the questions, their allowed values, and their version."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.errors import MoodmilesError

CURRENT = "run-1"


class BadAnswer(MoodmilesError):
    """Something that is not one of the survey's own choices."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `choices` maps each stored value to its words, worst first."""

    key: str
    text: str
    choices: Mapping[int, str]
    required: bool = False


MOOD = Question(
    "mood",
    "How do you feel right now?",
    {-2: "Awful", -1: "Low", 0: "OK", 1: "Good", 2: "Great"},
    required=True,
)
BEFORE = Question(
    "before",
    "And just before you set off, as you remember it?",
    MOOD.choices,
)
STRESS = Question(
    "stress",
    "How stressed do you feel right now?",
    {0: "Not at all", 1: "A little", 2: "Somewhat", 3: "Quite", 4: "Very"},
)
COMPANY = Question(
    "company", "Did you run with others?", {0: "Alone", 1: "With others"}
)
ENERGY = Question(
    "energy",
    "How much energy do you have right now?",
    {0: "Drained", 1: "Low", 2: "Some", 3: "Plenty", 4: "Full of energy"},
)

QUESTIONS: Mapping[str, Question] = {
    question.key: question for question in (MOOD, BEFORE, STRESS, COMPANY, ENERGY)
}
OPTIONAL = tuple(question for question in QUESTIONS.values() if not question.required)


def checked(values: Mapping[str, int]) -> dict[str, int]:
    """Return `values` if each is one of its question's choices, else `BadAnswer`."""
    for key, value in values.items():
        if key not in QUESTIONS or value not in QUESTIONS[key].choices:
            raise BadAnswer("That is not one of the answers: please choose again.")
    return dict(values)
