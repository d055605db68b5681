"""The main chart, twice: mood by the week's distance, and by the run's."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.analytics.overview import RunRow
from web.charts import mood_rows
from web.charts.mood_rows import Dot, Line, MoodRows
from web.dashboard.findings import Findings
from web.dashboard.run_views import run_view
from web.formats import WORDS, Unit, in_unit, tile

_COUNTS_FOR_MIN = 6 * 60


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
    has_hollow: bool


def charts(
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
        has_hollow=any(dot.hollow for dot in dots),
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
    minutes = run.answered_minutes_after
    return Dot(
        in_unit(at_m, unit),
        tile(run.mood or 0),
        lines,
        run.strava_id,
        hollow=run.race or (minutes is not None and minutes > _COUNTS_FOR_MIN),
    )
