"""The main chart, twice: mood by the week's distance, and by the run's."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from sync.analytics.dataset.load import RACE
from sync.analytics.dataset.run_annotations import RunAnnotations
from sync.analytics.dataset.run_rows import RunRow, RunTable
from sync.language import gettext as _
from sync.language import localize_number, ngettext
from web.charts import mood_rows
from web.charts.mood_rows import Dots, MoodCurve, MoodRows
from web.dashboard.findings import DashboardFindings
from web.dashboard.run_views import format_start
from web.formats import (
    METRES_PER_UNIT,
    TILES,
    Unit,
    format_distance,
    format_duration,
    mood_label,
    mood_to_tile,
)

_COUNTED_WITHIN_MIN = 6 * 60


@dataclass(frozen=True, slots=True)
class MoodChart:
    """One of the two ways to look at the dots, with what a listener hears."""

    id: str
    title: str
    axis: str
    plot: MoodRows
    points: Markup
    label: str
    has_line: bool
    has_band: bool
    has_hollow: bool


def draw_mood_charts(
    answered_runs: RunTable, unit: Unit, findings: DashboardFindings | None
) -> tuple[MoodChart, MoodChart]:
    week_dots = _build_dots(answered_runs, unit)
    return (
        _draw_chart(
            (
                "week",
                _("Mood after a run, by distance in the 7 days up to it"),
                _("Distance in the 7 days up to the run (%(unit)s)", unit=unit),
            ),
            week_dots,
            line=findings.by_week if findings else None,
            best=findings.best if findings else None,
            unit=unit,
        ),
        _draw_chart(
            (
                "run",
                _("Mood after a run, by the length of that run"),
                _("Length of the run (%(unit)s)", unit=unit),
            ),
            week_dots._replace(
                distance=_convert_distances(answered_runs.derived.about_m, unit)
            ),
            line=findings.by_run if findings else None,
            unit=unit,
        ),
    )


def _draw_chart(
    texts: tuple[str, str, str],
    dots: Dots,
    *,
    line: MoodCurve | None,
    best: tuple[float, float] | None = None,
    unit: Unit,
) -> MoodChart:
    id_, title, axis = texts
    mood_counts = Counter(dots.mood)
    counts = ", ".join(
        f"{mood_counts[mood]} {mood_label(mood)}" for mood in reversed(TILES)
    )
    plot = mood_rows.draw(dots, line=line, best=best, unit=unit)
    return MoodChart(
        id=id_,
        title=title,
        axis=axis,
        plot=plot,
        points=dump_json(plot.points),
        label=f"{title}. {_count_text(len(dots.mood), counts)} {_describe_line(line)}",
        has_line=line is not None,
        has_band=line is not None and bool(line.low),
        has_hollow=any(dots.hollow),
    )


def _count_text(count: int, counts: str) -> str:
    return ngettext(
        "%(n)s run: %(counts)s.", "%(n)s runs: %(counts)s.", count, counts=counts
    )


def _describe_line(line: MoodCurve | None) -> str:
    """Say in words what the line shows, for those who do not see it."""
    if line is None:
        return _("No line yet.")
    highest = max(range(len(line.mood)), key=line.mood.__getitem__)
    indices = sorted({0, highest, len(line.mood) - 1})
    points_text = ", ".join(
        _(
            "%(mood)s of 5 at %(distance)s",
            mood=localize_number(f"{line.mood[index]:.1f}"),
            distance=f"{line.distance[index]:.0f}",
        )
        for index in indices
    )
    return _("Typical mood: %(said)s.", said=points_text)


def render_read_outs(
    answered_runs: Sequence[RunRow], annotations: RunAnnotations, unit: Unit
) -> Markup:
    """Return what both charts say about each run, by its number."""
    return dump_json(
        {
            run.id: (annotations[run.id].strava_id, *_read_out_lines(run, unit))
            for run in answered_runs
        }
    )


def dump_json(values: object) -> Markup:
    """Return what the script reads, written so that it cannot end its element."""
    return htmlsafe_json_dumps(values, separators=(",", ":"))


def _read_out_lines(run: RunRow, unit: Unit) -> tuple[str, str, str]:
    distance_text, week_text = (
        format_distance(run.distance_m, unit),
        format_distance(run.week_m, unit),
    )
    return (
        _(
            "%(distance)s in %(duration)s",
            distance=distance_text,
            duration=format_duration(run.moving_s),
        ),
        format_start(run),
        _("%(distance)s in 7 days", distance=week_text),
    )


def _build_dots(answered_runs: RunTable, unit: Unit) -> Dots:
    """Place each run by the distance of its week."""
    facts_and_delays = zip(
        answered_runs.stored.flags,
        answered_runs.derived.answered_minutes_after,
        strict=True,
    )
    return Dots(
        distance=_convert_distances(answered_runs.derived.week_m, unit),
        mood=[mood_to_tile(mood or 0) for mood in answered_runs.derived.mood],
        number=answered_runs.stored.id,
        hollow=[
            facts & RACE > 0 or (minutes or 0) > _COUNTED_WITHIN_MIN
            for facts, minutes in facts_and_delays
        ],
    )


def _convert_distances(distances_m: Sequence[float], unit: Unit) -> list[float]:
    metres_per_unit = METRES_PER_UNIT[unit]
    return [distance_m / metres_per_unit for distance_m in distances_m]
