"""A run's page as its template shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.language import gettext as _
from sync.language import translatable
from sync.surveys.answering.run_detail import OtherRecording, OwnRun
from sync.surveys.instruments import QUESTIONS, Question
from web.formats import (
    Unit,
    clock,
    distance,
    duration,
    long_day,
    moment,
    thousands,
    tile,
)

_FEET = 0.3048
# What Strava's kinds of run become below.
_KINDS = (
    translatable("Run"),
    translatable("Trail run"),
    translatable("Virtual run"),
)


@dataclass(frozen=True, slots=True)
class OtherView:
    id: int
    words: str
    counted: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    """One run in words; `said` are the optional answers that were given."""

    id: int
    title: str
    when: str
    facts: Sequence[tuple[str, str]]
    decision: str
    strava_id: int | None
    is_own: bool
    mood: int | None
    answered: str
    said: Sequence[tuple[str, str]]
    can_answer: bool
    values: dict[str, int]
    questions: Sequence[Question]
    counted: bool
    others: Sequence[OtherView]


def view_of(run: OwnRun, unit: Unit, *, zone: str) -> RunPage:
    day = long_day(run.local_day)
    at = f", {clock(run.started_local)}" if run.started_local else ""
    return RunPage(
        id=run.id,
        title=distance(run.distance_m, unit),
        when=f"{day}{at}",
        facts=_facts(run, unit),
        decision=_decision(run),
        strava_id=run.strava_id,
        is_own=run.is_own,
        mood=None if run.mood is None else tile(run.mood),
        answered=moment(run.answered_at, zone) if run.answered_at else "",
        said=_said(run),
        can_answer=run.can_answer and run.counted,
        values=dict(run.said),
        questions=[question.spoken() for question in run.questions],
        counted=run.counted,
        others=[_other(other, unit) for other in run.recordings],
    )


def _decision(run: OwnRun) -> str:
    if run.is_own:
        return _("You answered, and kept this run in your own log.")
    return run.decision or _("Not decided yet: that takes a minute or two.")


def _facts(run: OwnRun, unit: Unit) -> list[tuple[str, str]]:
    facts = [
        (_("Distance"), distance(run.distance_m, unit)),
        (_("Moving time"), duration(run.moving_s)),
        (_("With breaks"), "" if run.is_own else duration(run.elapsed_s)),
        (_("Climb"), _climb(run.elevation_m, unit)),
        (_("Kind"), _spaced(run.sport)),
        (_("Notes"), _notes(run)),
        (_("Recorded by"), run.device or ""),
    ]
    return [(name, value) for name, value in facts if value]


def _notes(run: OwnRun) -> str:
    marks = {
        _("race"): run.race,
        _("treadmill"): run.treadmill,
        _("with others"): run.with_others,
        _("entered by hand"): run.manual,
    }
    return ", ".join(name for name, is_so in marks.items() if is_so)


def _climb(elevation_m: float | None, unit: Unit) -> str:
    if elevation_m is None:
        return ""
    if unit == "mi":
        return f"{thousands(round(elevation_m / _FEET))}\N{NO-BREAK SPACE}ft"
    return f"{thousands(round(elevation_m))}\N{NO-BREAK SPACE}m"


def _spaced(sport: str) -> str:
    """Turn Strava's TrailRun into Trail run."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in sport)
    return _(words.strip().capitalize())


def _said(run: OwnRun) -> list[tuple[str, str]]:
    asked = [
        (QUESTIONS[key].spoken(), value)
        for key, value in run.said.items()
        if key != "mood" and key in QUESTIONS
    ]
    return [
        (question.text, question.choices[value])
        for question, value in asked
        if value in question.choices
    ]


def _other(other: OtherRecording, unit: Unit) -> OtherView:
    parts = (
        distance(other.distance_m, unit),
        duration(other.moving_s),
        other.device or _("unknown device"),
    )
    return OtherView(other.id, " · ".join(parts), other.counted)
