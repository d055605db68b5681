"""Which of an instrument's questions one survey shows.  Pure."""

from collections.abc import Mapping

from sync.preferences import Preferences
from sync.surveys.instruments import Library, Question

# Later than this the memory of the start is too thin to ask for.
REMEMBERS_FOR_MIN = 6 * 60
CONTEXT = ("company", "place", "race")
_FOCUS_OF = {"run": "focus", "checkin": "checkin-focus"}


def optional_questions(
    library: Library,
    kind: str,
    preferences: Preferences,
    *,
    focus: str | None = None,
    minutes_since_end: int | None = None,
) -> tuple[Question, ...]:
    """Return the questions after the required one, in their fixed order."""
    shown = [
        question
        for question in library.current(kind).questions
        if not question.required and _is_wanted(question.key, preferences)
    ]
    if minutes_since_end is not None and minutes_since_end > REMEMBERS_FOR_MIN:
        shown = [question for question in shown if question.key != "before"]
    extra = library.choices_of(_FOCUS_OF.get(kind, "")).get(focus or "")
    return (*shown, extra) if extra is not None else tuple(shown)


def suggested(
    *, with_others: bool, race: bool, treadmill: bool, sport: str
) -> Mapping[str, int]:
    """Return what the run itself suggests; it counts only once it is tapped."""
    indoors = treadmill or sport == "VirtualRun"
    found = {"place": 2} if indoors else {"place": 1} if sport == "TrailRun" else {}
    if with_others:
        found["company"] = 1
    if race:
        found["race"] = 1
    return found


def _is_wanted(key: str, preferences: Preferences) -> bool:
    if key == "before":
        return preferences.before
    if key == "stress":
        return preferences.stress
    return preferences.context if key in CONTEXT else True
