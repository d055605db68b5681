"""A run as the dashboard's lists and read-outs show it."""

from dataclasses import dataclass

from sync.analytics.dataset.run_annotations import Aside
from sync.analytics.dataset.run_rows import RunRow
from sync.language import gettext
from web.dashboard.texts import asked_words
from web.formats import Unit, clock, distance, duration, in_unit, long_day, number, tile


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
    asked: str
    notes: str
    strava_id: int | None
    device: str | None


def when(run: RunRow) -> str:
    day = long_day(run.local_day)
    return f"{day}, {clock(run.started_local)}" if run.started_local else day


def run_view(run: RunRow, aside: Aside, unit: Unit) -> RunView:
    marks = {
        gettext("race"): run.race,
        gettext("treadmill"): run.treadmill,
        gettext("with others"): run.with_others,
        gettext("by hand"): run.manual,
    }
    return RunView(
        id=run.id,
        title=distance(run.distance_m, unit),
        when=when(run),
        day=long_day(run.local_day),
        clock=clock(run.started_local) if run.started_local else "",
        distance=number(in_unit(run.distance_m, unit)),
        duration=duration(run.moving_s),
        week=number(in_unit(run.week_m, unit)),
        mood=None if run.mood is None else tile(run.mood),
        can_answer=run.can_answer,
        asked=asked_words(aside),
        notes=", ".join(name for name, is_so in marks.items() if is_so),
        strava_id=aside.strava_id,
        device=aside.device,
    )
