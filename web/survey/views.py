"""What the survey's templates show, made from what the core knows."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.language import gettext as _
from sync.language import translatable
from sync.surveys.answering.answer import SurveyPage
from sync.surveys.instruments import InvalidAnswer, Question
from sync.vocabulary import CancellationReason, DistanceUnit, SurveyKind
from web.formats import (
    format_datetime,
    format_distance,
    format_long_date,
    format_time,
    mood_to_tile,
    parse_unit,
)

# The page for each reason why a question is closed; more exact reasons first.
_CLOSED_TEXTS = {
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
    CancellationReason.REPLACED: (
        translatable("A newer question has taken over."),
        translatable(
            "You ran again before answering this one, so the question after the later "
            "run is about both. Look for the newer mail, or answer on your dashboard."
        ),
    ),
    CancellationReason.RUN_GONE: (
        translatable("That run is no longer there."),
        translatable(
            "It was hidden or deleted on Strava, so there is nothing to answer. "
            "If it comes back, so does its question."
        ),
    ),
    CancellationReason.DISCONNECTED: (
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
    values: Mapping[str, int]
    questions: tuple[Question, ...]
    suggested: Mapping[str, int]
    kind: str
    cancel_reason: str
    controls_token: str
    unit: DistanceUnit

    @property
    def is_closed(self) -> bool:
        return self.state in _CLOSED_STATES

    @property
    def is_checkin(self) -> bool:
        return self.kind == SurveyKind.CHECKIN

    @property
    def closed_title(self) -> str:
        return _(self._closed_texts[0])

    @property
    def closed_text(self) -> str:
        return _(self._closed_texts[1])

    @property
    def _closed_texts(self) -> tuple[str, str]:
        reason = (
            self.cancel_reason
            if self.state == "cancelled"
            else f"{self.state} {self.kind}"
        )
        return _CLOSED_TEXTS.get(reason, _CLOSED_TEXTS[self.state])


def build_survey_view(survey: SurveyPage) -> SurveyView:
    ascending = (1, 2, 3, 4, 5)
    return SurveyView(
        state=survey.state,
        about=_describe_subject(survey),
        closes=format_datetime(survey.expires_at, survey.zone),
        tiles=ascending[::-1] if survey.reversed_order else ascending,
        mood=None if survey.mood is None else mood_to_tile(survey.mood),
        values=survey.values,
        questions=tuple(question.localize() for question in survey.questions),
        suggested=survey.suggested_answers,
        kind=survey.kind,
        cancel_reason=survey.cancel_reason or "",
        controls_token=survey.unsubscribe_token,
        unit=parse_unit(survey.units),
    )


def parse_tile(text: str | None) -> int | None:
    """Return the tile named in a mail's link, or None if there is no such tile."""
    return int(text) if text in {"1", "2", "3", "4", "5"} else None


def parse_answers(form: Mapping[str, str]) -> dict[str, int]:
    """Return the questions answered in this form with the values as stored."""
    values = {}
    for key, text in form.items():
        try:
            value = int(text)
        except ValueError:
            raise InvalidAnswer("That is not one of the answers.") from None
        # The mood's tiles count from 1, the stored scale from -2.
        values[key] = value - 3 if key == "mood" else value
    if not values:
        raise InvalidAnswer("Please choose one of the answers.")
    return values


def _describe_subject(survey: SurveyPage) -> str:
    if survey.kind == SurveyKind.CHECKIN:
        return _("A check-in on a random day")
    parts = []
    if survey.started_local is not None:
        day = format_long_date(survey.started_local.date())
        start_time = format_time(survey.started_local)
        parts.append(_("Your run on %(day)s, %(time)s", day=day, time=start_time))
    elif survey.local_day is not None:
        parts.append(_("Your run on %(day)s", day=format_long_date(survey.local_day)))
    if survey.distance_m is not None:
        parts.append(format_distance(survey.distance_m, parse_unit(survey.units)))
    if survey.session_count > 1:
        parts.append(_("and your earlier run that day"))
    return " · ".join(parts)
