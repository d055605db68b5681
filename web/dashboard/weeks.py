"""Week by week: mood above, distance below, over one time axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sync.analytics.dataset.overview import WeekRow
from sync.language import format_signed, localize_number, ngettext
from sync.language import gettext as _
from sync.vocabulary import DistanceUnit
from web.charts import week_bars, week_moods
from web.charts.week_bars import WeekBars, WeekDistance
from web.charts.week_moods import WeekMoods
from web.dashboard.filters import RunFilter
from web.formats import (
    convert_distance,
    format_distance,
    format_long_date,
    format_number,
    mood_to_tile,
)

MAX_WEEKS = 104


@dataclass(frozen=True, slots=True)
class WeekTableRow:
    """One week in the table, with the address of its runs."""

    name: str
    distance: str
    runs: int
    mood: str
    runs_url: str


@dataclass(frozen=True, slots=True)
class WeeksView:
    moods: WeekMoods | None
    bars: WeekBars
    table: Sequence[WeekTableRow]
    total: str
    label: str


def build_weeks_view(
    weeks: Sequence[WeekRow], unit: DistanceUnit, run_filter: RunFilter
) -> WeeksView:
    shown_weeks = weeks[-MAX_WEEKS:]
    moods = [[mood_to_tile(mood) for mood in week.moods] for week in shown_weeks]
    mood_chart = week_moods.draw(moods) if any(moods) else None
    distances = [
        WeekDistance(week.day, convert_distance(week.distance_m, unit))
        for week in shown_weeks
    ]
    total = format_distance(sum(week.distance_m for week in shown_weeks), unit)
    total_text = ngettext(
        "%(distance)s in %(n)s week.",
        "%(distance)s in %(n)s weeks.",
        len(shown_weeks),
        distance=total,
    )
    return WeeksView(
        moods=mood_chart,
        bars=week_bars.draw(distances),
        table=[
            WeekTableRow(
                name=format_long_date(week.day),
                distance=format_number(convert_distance(week.distance_m, unit)),
                runs=week.runs,
                mood=format_mean_mood(week),
                runs_url=run_filter.runs_url(
                    since=week.day,
                    until=week.day + timedelta(days=6),
                    mood="",
                    least=None,
                    below=None,
                    page=1,
                ),
            )
            for week in reversed(shown_weeks)
        ],
        total=total,
        label=f"{total_text} {describe_smoothed_moods(mood_chart)}",
    )


def compute_mean_mood(week: WeekRow) -> float | None:
    """Return the mean of a week's stored moods, -2 to 2; None without answers."""
    return sum(week.moods) / len(week.moods) if week.moods else None


def format_mean_mood(week: WeekRow) -> str:
    mean = compute_mean_mood(week)
    return "–" if mean is None else format_signed(mean)


def describe_smoothed_moods(mood_chart: WeekMoods | None) -> str:
    """Say where the mood line starts, turns and ends, for screen readers."""
    smoothed = mood_chart.smoothed if mood_chart else []
    moods = [mood for mood in smoothed if mood is not None]
    if not moods:
        return _("No answers in these weeks.")
    first, lowest, highest, last = (
        localize_number(f"{mood:.1f}")
        for mood in (moods[0], min(moods), max(moods), moods[-1])
    )
    return _(
        "Smoothed mood, from 1 Awful to 5 Great: %(first)s at the start, %(lowest)s at "
        "its lowest, %(highest)s at its highest, %(last)s at the end.",
        first=first,
        lowest=lowest,
        highest=highest,
        last=last,
    )
