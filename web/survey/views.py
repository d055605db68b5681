"""What the survey's templates show, made from what the core knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync.surveys.answer import SurveyPage
from sync.surveys.instruments import QUESTIONS, BadAnswer, Question, library
from web.formats import clock, distance, long_day, tile, unit_of

_CLOSED = {
    "expired": (
        "This question has closed.",
        (
            "It stays open until 24 hours after the run, because how a run felt fades. "
            "There will be another one after your next run."
        ),
    ),
    "cancelled": (
        "This question was called off.",
        "The run it was about has changed or is gone, so there is nothing to answer.",
    ),
    "skipped": (
        "Skipped.",
        (
            "We won’t ask about this run again. There will be another question after "
            "your next run."
        ),
    ),
}


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

    @property
    def is_closed(self) -> bool:
        return self.state in _CLOSED

    @property
    def closed_title(self) -> str:
        return _CLOSED[self.state][0]

    @property
    def closed_text(self) -> str:
        return _CLOSED[self.state][1]


def view_of(page: SurveyPage) -> SurveyView:
    best_last = (1, 2, 3, 4, 5)
    return SurveyView(
        state=page.state,
        about=_about(page),
        closes=_moment(page.expires_at, page.zone),
        tiles=best_last[::-1] if page.reversed_order else best_last,
        mood=None if page.mood is None else tile(page.mood),
        said=page.values,
        questions=_optional(),
    )


def picked_tile(text: str | None) -> int | None:
    """Return the tile named in a mail's link, or None if there is no such tile."""
    return int(text) if text in {"1", "2", "3", "4", "5"} else None


def chosen(form: Mapping[str, str]) -> dict[str, int]:
    """Return the questions answered in this form with the values as stored."""
    values = {}
    for key in QUESTIONS:
        if key in form:
            try:
                value = int(form[key])
            except ValueError:
                raise BadAnswer("That is not one of the answers.") from None
            # The mood's tiles count from 1, the stored scale from -2.
            values[key] = value - 3 if key == "mood" else value
    if not values:
        raise BadAnswer("Please choose one of the answers.")
    return values


def _optional() -> tuple[Question, ...]:
    """Return what may follow the first question after a run."""
    after_a_run = library().current("run").questions
    return tuple(question for question in after_a_run if not question.required)


def _about(page: SurveyPage) -> str:
    parts = []
    if page.started_local is not None:
        day = long_day(page.started_local.date())
        parts.append(f"Your run on {day}, {clock(page.started_local)}")
    elif page.local_day is not None:
        parts.append(f"Your run on {long_day(page.local_day)}")
    if page.distance_m is not None:
        parts.append(distance(page.distance_m, unit_of(page.units)))
    return " · ".join(parts)


def _moment(at: datetime, zone: str) -> str:
    try:
        local = at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        local = at
    return f"{local:%a} {local.day} {local:%b, %H:%M}"
