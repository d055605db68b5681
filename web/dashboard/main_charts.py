"""The main chart, twice: mood by the week's distance, and by the run's."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.analytics.overview import RunRow
from sync.language import gettext as _
from sync.language import ngettext
from web.charts import mood_rows
from web.charts.mood_rows import Dot, Line, MoodRows
from web.dashboard.findings import Findings
from web.dashboard.run_views import run_view
from web.formats import TILES, Unit, in_unit, localized, tile, word

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
                _("Mood after a run, by distance in the 7 days up to it"),
                _("Distance in the 7 days up to the run (%(unit)s)", unit=unit),
            ),
            [_dot(run, run.week_m, unit) for run in answered],
            line=found.by_week if found else None,
            best=found.best if found else None,
            unit=unit,
        ),
        _chart(
            (
                "run",
                _("Mood after a run, by the length of that run"),
                _("Length of the run (%(unit)s)", unit=unit),
            ),
            [_dot(run, run.about_m, unit) for run in answered],
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
        f"{sum(dot.mood == mood for dot in dots)} {word(mood)}"
        for mood in reversed(TILES)
    )
    return Chart(
        id=id_,
        title=title,
        axis=axis,
        drawn=mood_rows.draw(dots, line=line, best=best, unit=unit),
        label=f"{title}. {_counted(len(dots), counts)} {_course(line)}",
        has_line=line is not None,
        has_band=line is not None and bool(line.low),
        has_hollow=any(dot.hollow for dot in dots),
    )


def _counted(dots: int, counts: str) -> str:
    return ngettext(
        "%(n)s run: %(counts)s.", "%(n)s runs: %(counts)s.", dots, counts=counts
    )


def _course(line: Line | None) -> str:
    """Say in words what the line shows, for those who do not see it."""
    if line is None:
        return _("No line yet.")
    top = max(range(len(line.mood)), key=line.mood.__getitem__)
    steps = sorted({0, top, len(line.mood) - 1})
    said = ", ".join(
        _(
            "%(mood)s of 5 at %(distance)s",
            mood=localized(f"{line.mood[step]:.1f}"),
            distance=f"{line.distance[step]:.0f}",
        )
        for step in steps
    )
    return _("Typical mood: %(said)s.", said=said)


def _dot(run: RunRow, at_m: float, unit: Unit) -> Dot:
    view = run_view(run, unit)
    lines = (
        _("%(distance)s in %(duration)s", distance=view.title, duration=view.duration),
        view.when,
        _("%(distance)s in 7 days", distance=f"{view.week}\N{NO-BREAK SPACE}{unit}"),
    )
    minutes = run.answered_minutes_after
    return Dot(
        in_unit(at_m, unit),
        tile(run.mood or 0),
        lines,
        run.strava_id,
        hollow=run.race or (minutes is not None and minutes > _COUNTS_FOR_MIN),
    )
