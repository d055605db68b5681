"""The two main charts: mood by the week's distance, and by the run's."""

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
from sync.vocabulary import DistanceUnit
from web.charts import mood_rows
from web.charts.mood_rows import BestRange, Dots, MoodCurve, MoodRows
from web.dashboard.findings import DashboardFindings
from web.dashboard.run_views import format_start
from web.formats import (
    TILES,
    convert_distance,
    format_distance,
    format_duration,
    mood_label,
    mood_to_tile,
)

_COUNTED_WITHIN_MIN = 6 * 60


@dataclass(frozen=True, slots=True)
class ChartTexts:
    """The name, the heading and the axis of one chart."""

    id: str
    title: str
    axis: str


@dataclass(frozen=True, slots=True)
class MoodChart:
    """One of the two main charts; `label` describes it for screen readers."""

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
    answered_runs: RunTable, unit: DistanceUnit, findings: DashboardFindings | None
) -> tuple[MoodChart, MoodChart]:
    """Draw the moods by the week's distance, and by the run's own."""
    week_dots = build_week_dots(answered_runs, unit)
    run_distances = [
        convert_distance(about_m, unit) for about_m in answered_runs.derived.about_m
    ]
    return (
        _draw_chart(
            ChartTexts(
                id="week",
                title=_("Mood after a run, by distance in the 7 days up to it"),
                axis=_("Distance in the 7 days up to the run (%(unit)s)", unit=unit),
            ),
            week_dots,
            line=findings.by_week if findings else None,
            best=findings.best if findings else None,
            unit=unit,
        ),
        _draw_chart(
            ChartTexts(
                id="run",
                title=_("Mood after a run, by the length of that run"),
                axis=_("Length of the run (%(unit)s)", unit=unit),
            ),
            week_dots._replace(distance=run_distances),
            line=findings.by_run if findings else None,
            unit=unit,
        ),
    )


def _draw_chart(
    texts: ChartTexts,
    dots: Dots,
    *,
    line: MoodCurve | None,
    best: BestRange | None = None,
    unit: DistanceUnit,
) -> MoodChart:
    mood_counts = Counter(dots.mood)
    counts = ", ".join(
        f"{mood_counts[mood]} {mood_label(mood)}" for mood in reversed(TILES)
    )
    counts_text = ngettext(
        "%(n)s run: %(counts)s.",
        "%(n)s runs: %(counts)s.",
        len(dots.mood),
        counts=counts,
    )
    plot = mood_rows.draw(dots, line=line, best=best, unit=unit)
    placed = plot.dots
    return MoodChart(
        id=texts.id,
        title=texts.title,
        axis=texts.axis,
        plot=plot,
        points=dump_json(
            list(zip(placed.x, placed.y, placed.mood, placed.run_id, strict=True))
        ),
        label=f"{texts.title}. {counts_text} {describe_curve(line)}",
        has_line=line is not None,
        has_band=line is not None and bool(line.low),
        has_hollow=any(dots.hollow),
    )


def describe_curve(line: MoodCurve | None) -> str:
    """Say the moods at the ends and the top of the line, for screen readers."""
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
    answered_runs: Sequence[RunRow], annotations: RunAnnotations, unit: DistanceUnit
) -> Markup:
    """Return JSON with the texts that both charts show for each run, by its id.

    They are Strava's id, the run itself, its start, and the distance of its week.
    """
    return dump_json(
        {
            run.id: (
                annotations[run.id].strava_id,
                _(
                    "%(distance)s in %(duration)s",
                    distance=format_distance(run.distance_m, unit),
                    duration=format_duration(run.moving_s),
                ),
                format_start(run),
                _("%(distance)s in 7 days", distance=format_distance(run.week_m, unit)),
            )
            for run in answered_runs
        }
    )


def dump_json(values: object) -> Markup:
    """Return JSON for the script, escaped so that it cannot end its element."""
    return htmlsafe_json_dumps(values, separators=(",", ":"))


def build_week_dots(answered_runs: RunTable, unit: DistanceUnit) -> Dots:
    """Place each run by the distance of its week; a late answer or a race is hollow."""
    stored, derived = answered_runs.stored, answered_runs.derived
    return Dots(
        distance=[convert_distance(week_m, unit) for week_m in derived.week_m],
        mood=[mood_to_tile(mood or 0) for mood in derived.mood],
        number=stored.id,
        hollow=[
            flags & RACE > 0 or (minutes or 0) > _COUNTED_WITHIN_MIN
            for flags, minutes in zip(
                stored.flags, derived.answered_minutes_after, strict=True
            )
        ],
    )
