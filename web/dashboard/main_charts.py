"""The main chart, twice: mood by the week's distance, and by the run's."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from sync.analytics.dataset.load import RACE
from sync.analytics.dataset.run_annotations import Asides
from sync.analytics.dataset.run_rows import RunRow, RunTable
from sync.language import gettext as _
from sync.language import localized, ngettext
from web.charts import mood_rows
from web.charts.mood_rows import Dots, Line, MoodRows
from web.dashboard.findings import Findings
from web.dashboard.run_views import when
from web.formats import (
    METRES,
    TILES,
    Unit,
    distance,
    duration,
    tile,
    word,
)

_COUNTS_FOR_MIN = 6 * 60


@dataclass(frozen=True, slots=True)
class Chart:
    """One of the two ways to look at the dots, with what a listener hears."""

    id: str
    title: str
    axis: str
    drawn: MoodRows
    points: Markup
    label: str
    has_line: bool
    has_band: bool
    has_hollow: bool


def charts(
    answered: RunTable, unit: Unit, found: Findings | None
) -> tuple[Chart, Chart]:
    by_week = _dots(answered, unit)
    return (
        _chart(
            (
                "week",
                _("Mood after a run, by distance in the 7 days up to it"),
                _("Distance in the 7 days up to the run (%(unit)s)", unit=unit),
            ),
            by_week,
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
            by_week._replace(distance=_in_unit(answered.derived.about_m, unit)),
            line=found.by_run if found else None,
            unit=unit,
        ),
    )


def _chart(
    words: tuple[str, str, str],
    dots: Dots,
    *,
    line: Line | None,
    best: tuple[float, float] | None = None,
    unit: Unit,
) -> Chart:
    id_, title, axis = words
    of = Counter(dots.mood)
    counts = ", ".join(f"{of[mood]} {word(mood)}" for mood in reversed(TILES))
    drawn = mood_rows.draw(dots, line=line, best=best, unit=unit)
    return Chart(
        id=id_,
        title=title,
        axis=axis,
        drawn=drawn,
        points=as_json(drawn.points),
        label=f"{title}. {_counted(len(dots.mood), counts)} {_course(line)}",
        has_line=line is not None,
        has_band=line is not None and bool(line.low),
        has_hollow=any(dots.hollow),
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


def read_outs(answered: Sequence[RunRow], asides: Asides, unit: Unit) -> Markup:
    """Return what both charts say about each run, by its number."""
    return as_json(
        {run.id: (asides[run.id].strava_id, *_lines(run, unit)) for run in answered}
    )


def as_json(values: object) -> Markup:
    """Return what the script reads, written so that it cannot end its element."""
    return htmlsafe_json_dumps(values, separators=(",", ":"))


def _lines(run: RunRow, unit: Unit) -> tuple[str, str, str]:
    length, week = distance(run.distance_m, unit), distance(run.week_m, unit)
    return (
        _(
            "%(distance)s in %(duration)s",
            distance=length,
            duration=duration(run.moving_s),
        ),
        when(run),
        _("%(distance)s in 7 days", distance=week),
    )


def _dots(answered: RunTable, unit: Unit) -> Dots:
    """Place each run by the distance of its week."""
    times = zip(
        answered.stored.facts, answered.derived.answered_minutes_after, strict=True
    )
    return Dots(
        distance=_in_unit(answered.derived.week_m, unit),
        mood=[tile(mood or 0) for mood in answered.derived.mood],
        number=answered.stored.id,
        hollow=[
            facts & RACE > 0 or (minutes or 0) > _COUNTS_FOR_MIN
            for facts, minutes in times
        ],
    )


def _in_unit(distances_m: Sequence[float], unit: Unit) -> list[float]:
    metres = METRES[unit]
    return [distance_m / metres for distance_m in distances_m]
