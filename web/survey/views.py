"""What the survey's templates show, made from what the core knows."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.surveys.answer import SurveyPage
from sync.surveys.instruments import BadAnswer, Question
from web.formats import clock, distance, long_day, moment, tile, unit_of

_NEXT = "There will be another question after your next run."
# The page for each reason why a question is closed; more exact reasons first.
_CLOSED = {
    "expired checkin": (
        "This check-in has closed.",
        (
            "A check-in is about one moment of one day, so it stays open for four "
            "hours. Nothing is missing: another one will come on some other day."
        ),
    ),
    "expired": (
        "This question has closed.",
        (
            "It stays open until 24 hours after the run, because how a run felt fades. "
            f"{_NEXT}"
        ),
    ),
    "double": (
        "A newer question has taken over.",
        (
            "You ran again before answering this one, so the question after the later "
            "run is about both. Look for the newer mail, or answer on your dashboard."
        ),
    ),
    "run gone": (
        "That run is no longer there.",
        (
            "It was hidden or deleted on Strava, so there is nothing to answer. "
            "If it comes back, so does its question."
        ),
    ),
    "disconnected": (
        "Strava is disconnected.",
        "This question was about a run that we no longer have. Your answers are kept.",
    ),
    "cancelled": (
        "This question was called off.",
        "The run it was about has changed or is gone, so there is nothing to answer.",
    ),
    "skipped": ("Skipped.", f"We won’t ask about this run again. {_NEXT}"),
}
_CLOSED_STATES = {"expired", "cancelled", "skipped"}


@dataclass(frozen=True, slots=True)
class SurveyView:
    """One survey as its page shows it; moods are tiles 1 (Awful) to 5 (Great)."""

    state: str
    about: str
    closes: str
    tiles: tuple[int, ...]
    mood: int | None
    said: Mapping[str, int]
    questions: tuple[Question, ...]
    suggested: Mapping[str, int]
    kind: str
    why: str
    controls: str

    @property
    def is_closed(self) -> bool:
        return self.state in _CLOSED_STATES

    @property
    def is_checkin(self) -> bool:
        return self.kind == "checkin"

    @property
    def closed_title(self) -> str:
        return self._closed[0]

    @property
    def closed_text(self) -> str:
        return self._closed[1]

    @property
    def _closed(self) -> tuple[str, str]:
        exact = self.why if self.state == "cancelled" else f"{self.state} {self.kind}"
        return _CLOSED.get(exact, _CLOSED[self.state])


def view_of(page: SurveyPage) -> SurveyView:
    best_last = (1, 2, 3, 4, 5)
    return SurveyView(
        state=page.state,
        about=_about(page),
        closes=moment(page.expires_at, page.zone),
        tiles=best_last[::-1] if page.reversed_order else best_last,
        mood=None if page.mood is None else tile(page.mood),
        said=page.values,
        questions=page.questions,
        suggested=page.suggested,
        kind=page.kind,
        why=page.why or "",
        controls=page.controls_token,
    )


def picked_tile(text: str | None) -> int | None:
    """Return the tile named in a mail's link, or None if there is no such tile."""
    return int(text) if text in {"1", "2", "3", "4", "5"} else None


def chosen(form: Mapping[str, str]) -> dict[str, int]:
    """Return the questions answered in this form with the values as stored."""
    values = {}
    for key, text in form.items():
        try:
            value = int(text)
        except ValueError:
            raise BadAnswer("That is not one of the answers.") from None
        # The mood's tiles count from 1, the stored scale from -2.
        values[key] = value - 3 if key == "mood" else value
    if not values:
        raise BadAnswer("Please choose one of the answers.")
    return values


def _about(page: SurveyPage) -> str:
    if page.kind == "checkin":
        return "A check-in on a random day"
    parts = []
    if page.started_local is not None:
        day = long_day(page.started_local.date())
        parts.append(f"Your run on {day}, {clock(page.started_local)}")
    elif page.local_day is not None:
        parts.append(f"Your run on {long_day(page.local_day)}")
    if page.distance_m is not None:
        parts.append(distance(page.distance_m, unit_of(page.units)))
    if page.sessions > 1:
        parts.append("and your earlier run that day")
    return " · ".join(parts)
