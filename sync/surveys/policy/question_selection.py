"""Which of an instrument's questions one survey shows.  Pure."""

from collections.abc import Mapping

from sync.preferences import Preferences
from sync.surveys.instruments import InstrumentLibrary, Question
from sync.vocabulary import InstrumentKind, SurveyKind

# Later than this the memory of the start is too thin to ask for.
RECALL_LIMIT_MIN = 6 * 60
CONTEXT_KEYS = ("company", "place", "race")
_FOCUS_KINDS = {
    SurveyKind.RUN: InstrumentKind.FOCUS,
    SurveyKind.CHECKIN: InstrumentKind.CHECKIN_FOCUS,
}


def select_questions(
    library: InstrumentLibrary,
    kind: SurveyKind,
    preferences: Preferences,
    *,
    focus: str | None = None,
    minutes_since_end: int | None = None,
) -> tuple[Question, ...]:
    """Return the questions after the required one, in their fixed order."""
    selected = [
        question
        for question in library.get_current(InstrumentKind(kind)).questions
        if not question.required and _is_enabled(question.key, preferences)
    ]
    if minutes_since_end is not None and minutes_since_end > RECALL_LIMIT_MIN:
        selected = [question for question in selected if question.key != "before"]
    focus_question = library.get_choices(_FOCUS_KINDS[kind]).get(focus or "")
    return (
        (*selected, focus_question) if focus_question is not None else tuple(selected)
    )


def suggest_answers(
    *, is_with_others: bool, is_race: bool, is_treadmill: bool, sport: str
) -> Mapping[str, int]:
    """Return what the run itself suggests; it counts only once it is tapped."""
    is_indoors = is_treadmill or sport == "VirtualRun"
    suggestions = (
        {"place": 2} if is_indoors else {"place": 1} if sport == "TrailRun" else {}
    )
    if is_with_others:
        suggestions["company"] = 1
    if is_race:
        suggestions["race"] = 1
    return suggestions


def _is_enabled(key: str, preferences: Preferences) -> bool:
    if key == "before":
        return preferences.before
    if key == "stress":
        return preferences.stress
    return preferences.context if key in CONTEXT_KEYS else True
