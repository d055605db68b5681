"""The dashboard as its template shows it: numbers in the runner's own unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sync.analytics.overview import Dashboard, RunRow, WeekRow
from web.charts import mood_rows, week_bars
from web.charts.mood_rows import Dot, Line, MoodRows
from web.charts.week_bars import WeekBars
from web.dashboard.findings import Findings
from web.dashboard.words import FIRST_LOOK, Headline, asked_words, headline
from web.formats import (
    WORDS,
    Unit,
    clock,
    distance,
    duration,
    in_unit,
    long_day,
    number,
    tile,
)

PAGE = 50
_LATEST = 3
_WEEKS = 52


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


@dataclass(frozen=True, slots=True)
class Chart:
    """One of the two ways to look at the dots, with what a listener hears."""

    id: str
    title: str
    axis: str
    drawn: MoodRows
    label: str
    has_line: bool
    has_band: bool


@dataclass(frozen=True, slots=True)
class Week:
    distance: str
    runs: int
    mood: str


@dataclass(frozen=True, slots=True)
class DashboardView:
    head: Headline
    runs: int
    answers: int
    first_look: int
    to_answer: RunView | None
    charts: Sequence[Chart]
    week: Week
    latest: Sequence[RunView]
    bars: WeekBars
    bars_table: Sequence[tuple[str, str, int, str]]
    bars_total: str
    unit: Unit


def view_of(
    data: Dashboard,
    unit: Unit,
    found: Findings | None = None,
    *,
    is_importing: bool = False,
) -> DashboardView:
    answered = data.answered_runs
    waiting = [run for run in data.runs if run.can_answer and run.mood is None]
    weeks = data.weeks[-_WEEKS:]
    return DashboardView(
        head=_head(data, found, is_importing=is_importing),
        runs=len(data.runs),
        answers=len(answered),
        first_look=FIRST_LOOK,
        to_answer=run_view(waiting[-1], unit) if waiting else None,
        charts=_charts(answered, unit, found) if answered else (),
        week=_last_week(data, unit),
        latest=[run_view(run, unit) for run in data.runs[: -_LATEST - 1 : -1]],
        bars=week_bars.draw(
            [(week.day, in_unit(week.distance_m, unit)) for week in weeks]
        ),
        bars_table=[_week_row(week, unit) for week in reversed(weeks)],
        bars_total=distance(sum(week.distance_m for week in weeks), unit),
        unit=unit,
    )


def page_of_runs(
    data: Dashboard, unit: Unit, number_asked: int
) -> tuple[list[RunView], int, int]:
    """Return one page of runs, newest first, its number and how many there are."""
    pages = max(1, -(-len(data.runs) // PAGE))
    page = min(max(1, number_asked), pages)
    newest_first = data.runs[::-1][(page - 1) * PAGE : page * PAGE]
    return [run_view(run, unit) for run in newest_first], page, pages


def run_view(run: RunRow, unit: Unit) -> RunView:
    day = long_day(run.local_day)
    at = clock(run.started_local) if run.started_local else ""
    marks = {
        "race": run.race,
        "treadmill": run.treadmill,
        "with others": run.with_others,
        "by hand": run.manual,
    }
    return RunView(
        id=run.id,
        title=distance(run.distance_m, unit),
        when=f"{day}, {at}" if at else day,
        day=day,
        clock=at,
        distance=number(in_unit(run.distance_m, unit)),
        duration=duration(run.moving_s),
        week=number(in_unit(run.week_m, unit)),
        mood=None if run.mood is None else tile(run.mood),
        can_answer=run.can_answer,
        asked=asked_words(run),
        notes=", ".join(name for name, is_so in marks.items() if is_so),
        strava_id=run.strava_id,
        device=run.device,
    )


def _head(data: Dashboard, found: Findings | None, *, is_importing: bool) -> Headline:
    """Take the figures' own sentence once there is enough for a first look."""
    runs, answers = len(data.runs), len(data.answered_runs)
    plain = headline(runs, answers, is_importing=is_importing)
    if found is None or answers < FIRST_LOOK:
        return plain
    return Headline(plain.eyebrow, found.title, found.text)


def _charts(
    answered: Sequence[RunRow], unit: Unit, found: Findings | None
) -> tuple[Chart, Chart]:
    return (
        _chart(
            (
                "week",
                "Mood after a run, by distance in the 7 days up to it",
                f"Distance in the 7 days up to the run ({unit})",
            ),
            [_dot(run, run.week_m, unit) for run in answered],
            line=found.by_week if found else None,
            best=found.best if found else None,
            unit=unit,
        ),
        _chart(
            (
                "run",
                "Mood after a run, by the length of that run",
                f"Length of the run ({unit})",
            ),
            [_dot(run, run.distance_m, unit) for run in answered],
            line=found.by_run if found else None,
            unit=unit,
        ),
    )


def _chart(
    words: tuple[str, str, str],
    dots: list[Dot],
    *,
    line: Line | None,
    best: tuple[float, float] | None = None,
    unit: Unit,
) -> Chart:
    id_, title, axis = words
    counts = ", ".join(
        f"{sum(dot.mood == mood for dot in dots)} {word}"
        for mood, word in reversed(WORDS.items())
    )
    return Chart(
        id=id_,
        title=title,
        axis=axis,
        drawn=mood_rows.draw(dots, line=line, best=best, unit=unit),
        label=f"{title}. {len(dots)} runs: {counts}. {_course(line)}",
        has_line=line is not None,
        has_band=line is not None and bool(line.low),
    )


def _course(line: Line | None) -> str:
    """Say in words what the line shows, for those who do not see it."""
    if line is None:
        return "No line yet."
    top = max(range(len(line.mood)), key=line.mood.__getitem__)
    steps = sorted({0, top, len(line.mood) - 1})
    said = ", ".join(
        f"{line.mood[step]:.1f} of 5 at {line.distance[step]:.0f}" for step in steps
    )
    return f"Typical mood: {said}."


def _dot(run: RunRow, at_m: float, unit: Unit) -> Dot:
    view = run_view(run, unit)
    lines = (
        f"{view.title} in {view.duration}",
        view.when,
        f"{view.week}\N{NO-BREAK SPACE}{unit} in 7 days",
    )
    return Dot(in_unit(at_m, unit), tile(run.mood or 0), lines, run.strava_id)


def _last_week(data: Dashboard, unit: Unit) -> Week:
    since = data.today - timedelta(days=6)
    lately = [run for run in data.runs if since <= run.local_day <= data.today]
    moods = [run.mood for run in data.runs if run.mood is not None]
    return Week(
        distance=distance(sum(run.distance_m for run in lately), unit),
        runs=len(lately),
        mood=WORDS[tile(moods[-1])] if moods else "–",
    )


def _week_row(week: WeekRow, unit: Unit) -> tuple[str, str, int, str]:
    mood = f"{sum(week.moods) / len(week.moods):+.1f}" if week.moods else "–"
    return (
        long_day(week.day),
        number(in_unit(week.distance_m, unit)),
        week.runs,
        mood,
    )
