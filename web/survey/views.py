"""What the survey's templates show, made from what the core knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from sync.language import gettext as _
from sync.language import translatable
from sync.surveys.answering.answer import SurveyPage, SurveyPageState
from sync.surveys.instruments import InvalidAnswer, Question
from sync.vocabulary import (
    CancellationReason,
    DistanceUnit,
    Mood,
    SurveyKind,
    is_unknown,
)
from web.formats import (
    format_datetime,
    format_distance,
    format_long_date,
    format_time,
    mood_to_tile,
    parse_unit,
)


@dataclass(frozen=True, slots=True)
class ClosedText:
    """Why a question takes no answer any more, in English."""

    title: str
    text: str


_EXPIRED_CHECKIN = ClosedText(
    translatable("This check-in has closed."),
    translatable(
        "A check-in is about one moment of one day, so it stays open for four "
        "hours. Nothing is missing: another one will come on some other day."
    ),
)
_EXPIRED = ClosedText(
    translatable("This question has closed."),
    translatable(
        "It stays open until 24 hours after the run, because how a run felt fades. "
        "There will be another question after your next run."
    ),
)
_SKIPPED = ClosedText(
    translatable("Skipped."),
    translatable(
        "We won’t ask about this run again. There will be another question after "
        "your next run."
    ),
)


@dataclass(frozen=True, slots=True)
class SurveyView:
    """One survey as its page shows it; moods are tiles 1 (Awful) to 5 (Great)."""

    state: SurveyPageState
    closed: ClosedText | None
    about: str
    closes: str
    tiles: tuple[int, ...]
    mood: int | None
    values: Mapping[str, int]
    questions: tuple[Question, ...]
    suggested: Mapping[str, int]
    kind: SurveyKind
    controls_token: str
    unit: DistanceUnit

    @property
    def is_checkin(self) -> bool:
        return self.kind is SurveyKind.CHECKIN


def build_survey_view(survey: SurveyPage) -> SurveyView:
    ascending = (1, 2, 3, 4, 5)
    return SurveyView(
        state=survey.state,
        closed=_get_closed_text(survey),
        about=_describe_subject(survey),
        closes=format_datetime(survey.expires_at, survey.zone),
        tiles=ascending[::-1] if survey.reversed_order else ascending,
        mood=None if survey.mood is None else mood_to_tile(survey.mood),
        values=survey.values,
        questions=tuple(question.localize() for question in survey.questions),
        suggested=survey.suggested_answers,
        kind=survey.kind,
        controls_token=survey.unsubscribe_token,
        unit=parse_unit(survey.units),
    )


def _get_closed_text(survey: SurveyPage) -> ClosedText | None:
    match survey.state:
        case "open" | "answered":
            return None
        case "expired":
            return _EXPIRED_CHECKIN if survey.kind is SurveyKind.CHECKIN else _EXPIRED
        case "skipped":
            return _SKIPPED
        case "cancelled":
            return _get_cancellation_text(survey.cancel_reason)
        case _:
            assert_never(survey.state)


def _get_cancellation_text(reason: CancellationReason | None) -> ClosedText:
    if reason is not None and is_unknown(reason):
        reason = None
    match reason:
        case CancellationReason.REPLACED:
            return ClosedText(
                translatable("A newer question has taken over."),
                translatable(
                    "You ran again before answering this one, so the question after "
                    "the later run is about both. Look for the newer mail, or answer "
                    "on your dashboard."
                ),
            )
        case CancellationReason.RUN_GONE:
            return ClosedText(
                translatable("That run is no longer there."),
                translatable(
                    "It was hidden or deleted on Strava, so there is nothing to "
                    "answer. If it comes back, so does its question."
                ),
            )
        case CancellationReason.DISCONNECTED:
            return ClosedText(
                translatable("Strava is disconnected."),
                translatable(
                    "This question was about a run that we no longer have. Your "
                    "answers are kept."
                ),
            )
        case CancellationReason.STOPPED | None:
            return ClosedText(
                translatable("This question was called off."),
                translatable(
                    "The run it was about has changed or is gone, so there is nothing "
                    "to answer."
                ),
            )
        case _:
            assert_never(reason)


def parse_tile(text: str | None) -> int | None:
    """Return the tile named in a mail's link, or None if there is no such tile."""
    return int(text) if text in {str(mood.tile) for mood in Mood} else None


def parse_answers(form: Mapping[str, str]) -> dict[str, int]:
    """Return the questions answered in this form with the values as stored."""
    values: dict[str, int] = {}
    for key, text in form.items():
        try:
            value = int(text)
            values[key] = Mood.from_tile(value) if key == "mood" else value
        except ValueError:
            raise InvalidAnswer("That is not one of the answers.") from None
    if not values:
        raise InvalidAnswer("Please choose one of the answers.")
    return values


def _describe_subject(survey: SurveyPage) -> str:
    if survey.kind is SurveyKind.CHECKIN:
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
