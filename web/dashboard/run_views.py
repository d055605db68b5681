"""A run as the dashboard's lists show it."""

from dataclasses import dataclass

from sync.analytics.dataset.left_out import LeftOutRun
from sync.analytics.dataset.run_annotations import RunAnnotation
from sync.analytics.dataset.run_rows import RunRow
from sync.language import gettext
from sync.surveys.policy.explanations import label_reason
from sync.vocabulary import DistanceUnit
from web.dashboard.decision_text import decision_text
from web.formats import (
    convert_distance,
    format_distance,
    format_duration,
    format_long_date,
    format_number,
    format_time,
    mood_to_tile,
)


@dataclass(frozen=True, slots=True)
class RunView:
    id: int
    title: str
    when: str
    day: str
    clock: str
    distance: str
    duration: str
    week: str
    mood: int | None
    can_answer: bool
    survey_text: str
    notes: str
    strava_id: int | None
    device: str | None
    own_line: str


@dataclass(frozen=True, slots=True)
class LeftOutView:
    """A run that no figure counts: its distance, when its recorder puts it, and why."""

    id: int
    title: str
    when: str
    reason: str


def build_left_out_view(run: LeftOutRun, unit: DistanceUnit) -> LeftOutView:
    day = format_long_date(run.local_day)
    start_time = f", {format_time(run.started_local)}" if run.started_local else ""
    return LeftOutView(
        id=run.id,
        title=format_distance(run.distance_m, unit),
        when=f"{day}{start_time}",
        reason=label_reason(run.reason),
    )


def format_start(run: RunRow) -> str:
    day = format_long_date(run.local_day)
    return f"{day}, {format_time(run.started_local)}" if run.started_local else day


def build_run_view(
    run: RunRow, annotation: RunAnnotation, unit: DistanceUnit, own_line: str = ""
) -> RunView:
    marks = {
        gettext("race"): run.race,
        gettext("treadmill"): run.treadmill,
        gettext("with others"): run.with_others,
        gettext("by hand"): run.manual,
    }
    return RunView(
        id=run.id,
        title=format_distance(run.distance_m, unit),
        when=format_start(run),
        day=format_long_date(run.local_day),
        clock=format_time(run.started_local) if run.started_local else "",
        distance=format_number(convert_distance(run.distance_m, unit)),
        duration=format_duration(run.moving_s),
        week=format_number(convert_distance(run.week_m, unit)),
        mood=None if run.mood is None else mood_to_tile(run.mood),
        can_answer=run.can_answer,
        survey_text=decision_text(annotation),
        notes=", ".join(name for name, applies in marks.items() if applies),
        strava_id=annotation.strava_id,
        device=annotation.device,
        own_line=own_line,
    )
