"""What the survey's templates show, made from what the core knows."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.language import gettext as _
from sync.language import translatable
from sync.surveys.answering.answer import SurveyPage
from sync.surveys.instruments import BadAnswer, Question
from web.formats import Unit, clock, distance, long_day, moment, tile, unit_of

# The page for each reason why a question is closed; more exact reasons first.
_CLOSED = {
    "expired checkin": (
        translatable("This check-in has closed."),
        translatable(
            "A check-in is about one moment of one day, so it stays open for four "
            "hours. Nothing is missing: another one will come on some other day."
        ),
    ),
    "expired": (
        translatable("This question has closed."),
        translatable(
            "It stays open until 24 hours after the run, because how a run felt fades. "
            "There will be another question after your next run."
        ),
    ),
    "double": (
        translatable("A newer question has taken over."),
        translatable(
            "You ran again before answering this one, so the question after the later "
            "run is about both. Look for the newer mail, or answer on your dashboard."
        ),
    ),
    "run gone": (
        translatable("That run is no longer there."),
        translatable(
            "It was hidden or deleted on Strava, so there is nothing to answer. "
            "If it comes back, so does its question."
        ),
    ),
    "disconnected": (
        translatable("Strava is disconnected."),
        translatable(
            "This question was about a run that we no longer have. Your answers are "
            "kept."
        ),
    ),
    "cancelled": (
        translatable("This question was called off."),
        translatable(
            "The run it was about has changed or is gone, so there is nothing to "
            "answer."
        ),
    ),
    "skipped": (
        translatable("Skipped."),
        translatable(
            "We won’t ask about this run again. There will be another question after "
            "your next run."
        ),
    ),
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
    unit: Unit

    @property
    def is_closed(self) -> bool:
        return self.state in _CLOSED_STATES

    @property
    def is_checkin(self) -> bool:
        return self.kind == "checkin"

    @property
    def closed_title(self) -> str:
        return _(self._closed[0])

    @property
    def closed_text(self) -> str:
        return _(self._closed[1])

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
        questions=tuple(question.spoken() for question in page.questions),
        suggested=page.suggested,
        kind=page.kind,
        why=page.why or "",
        controls=page.controls_token,
        unit=unit_of(page.units),
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
        return _("A check-in on a random day")
    parts = []
    if page.started_local is not None:
        day = long_day(page.started_local.date())
        at = clock(page.started_local)
        parts.append(_("Your run on %(day)s, %(time)s", day=day, time=at))
    elif page.local_day is not None:
        parts.append(_("Your run on %(day)s", day=long_day(page.local_day)))
    if page.distance_m is not None:
        parts.append(distance(page.distance_m, unit_of(page.units)))
    if page.sessions > 1:
        parts.append(_("and your earlier run that day"))
    return " · ".join(parts)
