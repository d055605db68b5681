"""A run's page as its template shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.language import gettext as _
from sync.language import translatable
from sync.surveys.answering.run_detail import RunDetail
from sync.surveys.instruments import QUESTIONS, Question
from sync.vocabulary import DistanceUnit
from web.formats import (
    format_datetime,
    format_distance,
    format_duration,
    format_long_date,
    format_thousands,
    format_time,
    mood_to_tile,
)

_METRES_PER_FOOT = 0.3048
# What Strava's kinds of run become below.
_SPORT_NAMES = (
    translatable("Run"),
    translatable("Trail run"),
    translatable("Virtual run"),
)


@dataclass(frozen=True, slots=True)
class RecordingView:
    id: int
    text: str
    is_counted: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    """One run in words; `answers` are the optional ones that were given."""

    id: int
    title: str
    when: str
    facts: Sequence[tuple[str, str]]
    decision: str
    strava_id: int | None
    is_own: bool
    mood: int | None
    answered_text: str
    answers: Sequence[tuple[str, str]]
    can_answer: bool
    is_asked_later: bool
    values: dict[str, int]
    questions: Sequence[Question]
    is_counted: bool
    is_clock_ahead: bool
    is_implausible: bool
    recordings: Sequence[RecordingView]
    note: str


def build_run_page(detail: RunDetail, unit: DistanceUnit, *, zone: str) -> RunPage:
    run = detail.run
    day = format_long_date(run.local_day)
    answered = [
        (QUESTIONS[key].localize(), value)
        for key, value in detail.answer_values.items()
        if key != "mood" and key in QUESTIONS
    ]
    start_time = f", {format_time(run.started_local)}" if run.started_local else ""
    return RunPage(
        id=run.id,
        title=format_distance(run.distance_m, unit),
        when=f"{day}{start_time}",
        facts=_list_facts(detail, unit),
        decision=_("You answered, and kept this run in your own log.")
        if detail.is_own
        else detail.decision or _("Not decided yet: that takes a minute or two."),
        strava_id=detail.strava_id,
        is_own=detail.is_own,
        mood=None if detail.mood is None else mood_to_tile(detail.mood),
        answered_text=format_datetime(detail.answered_at, zone)
        if detail.answered_at
        else "",
        answers=[
            (question.text, question.choices[value])
            for question, value in answered
            if value in question.choices
        ],
        can_answer=detail.can_answer and run.counted,
        is_asked_later=detail.is_asked_later,
        values=dict(detail.answer_values),
        questions=[question.localize() for question in detail.questions],
        is_counted=run.counted,
        is_clock_ahead=run.clock_ahead,
        is_implausible=run.implausible,
        recordings=[
            RecordingView(
                recording.id,
                " · ".join(
                    (
                        format_distance(recording.distance_m, unit),
                        format_duration(recording.trusted_moving_s),
                        recording.device or _("unknown device"),
                    )
                ),
                recording.counted,
            )
            for recording in detail.other_recordings
        ],
        note=detail.note,
    )


def _list_facts(detail: RunDetail, unit: DistanceUnit) -> list[tuple[str, str]]:
    run = detail.run
    marks = {
        _("race"): run.race,
        _("treadmill"): run.treadmill,
        _("with others"): run.with_others,
        _("entered by hand"): run.manual,
    }
    # Strava's TrailRun is a Trail run.
    sport = "".join(
        f" {letter}" if letter.isupper() else letter for letter in run.sport
    )
    facts = [
        (_("Distance"), format_distance(run.distance_m, unit)),
        *_list_times(detail),
        (_("Climb"), _format_climb(run.elevation_m, unit)),
        (_("Kind"), _(sport.strip().capitalize())),
        (_("Notes"), ", ".join(name for name, applies in marks.items() if applies)),
        (_("Recorded by"), run.device or ""),
    ]
    return [(name, value) for name, value in facts if value]


def _list_times(detail: RunDetail) -> list[tuple[str, str]]:
    """Return the times that count; of a run that is left out what was reported."""
    run = detail.run
    moving_s, elapsed_s = run.trusted_moving_s, run.trusted_elapsed_s
    if run.left_out_for:
        moving_s, elapsed_s = run.moving_s, run.elapsed_s
    elif moving_s != run.moving_s:
        duration = format_duration(moving_s)
        return [
            (
                _("Duration"),
                _("%(duration)s, from start to end", duration=duration),
            )
        ]
    return [
        (_("Moving time"), format_duration(moving_s)),
        (_("With breaks"), "" if detail.is_own else format_duration(elapsed_s)),
    ]


def _format_climb(elevation_m: float | None, unit: DistanceUnit) -> str:
    if elevation_m is None:
        return ""
    if unit is DistanceUnit.MI:
        feet = format_thousands(round(elevation_m / _METRES_PER_FOOT))
        return f"{feet}\N{NO-BREAK SPACE}ft"
    return f"{format_thousands(round(elevation_m))}\N{NO-BREAK SPACE}m"
