"""Week by week: mood above, distance below, over one time axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sync.analytics.dataset.overview import WeekRow
from sync.language import gettext as _
from sync.language import localized, ngettext
from web.charts import week_bars, week_moods
from web.charts.week_bars import WeekBars
from web.charts.week_moods import WeekMoods
from web.dashboard.filters import Wanted
from web.formats import Unit, distance, in_unit, long_day, number, tile

MOST_WEEKS = 104


@dataclass(frozen=True, slots=True)
class WeekLine:
    """One week in the table; `runs_at` is where its runs are listed."""

    name: str
    distance: str
    runs: int
    mood: str
    runs_at: str


@dataclass(frozen=True, slots=True)
class WeeksView:
    moods: WeekMoods | None
    bars: WeekBars
    table: Sequence[WeekLine]
    total: str
    label: str


def weeks_view(weeks: Sequence[WeekRow], unit: Unit, wanted: Wanted) -> WeeksView:
    shown = weeks[-MOST_WEEKS:]
    moods = [[tile(mood) for mood in week.moods] for week in shown]
    total = distance(sum(week.distance_m for week in shown), unit)
    drawn = week_moods.draw(moods) if any(moods) else None
    return WeeksView(
        moods=drawn,
        bars=week_bars.draw(
            [(week.day, in_unit(week.distance_m, unit)) for week in shown]
        ),
        table=[_line(week, unit, wanted) for week in reversed(shown)],
        total=total,
        label=f"{_counted(total, len(shown))} {_course(drawn)}",
    )


def mean_mood(week: WeekRow) -> str:
    if not week.moods:
        return "–"
    mean = f"{sum(week.moods) / len(week.moods):+.1f}"
    return localized(mean.replace("-", "−"))


def _line(week: WeekRow, unit: Unit, wanted: Wanted) -> WeekLine:
    runs_at = wanted.address(
        since=week.day,
        until=week.day + timedelta(days=6),
        mood="",
        least=None,
        below=None,
        page=1,
    )
    return WeekLine(
        name=long_day(week.day),
        distance=number(in_unit(week.distance_m, unit)),
        runs=week.runs,
        mood=mean_mood(week),
        runs_at=f"{runs_at}#all-runs",
    )


def _counted(total: str, weeks: int) -> str:
    return ngettext(
        "%(distance)s in %(n)s week.",
        "%(distance)s in %(n)s weeks.",
        weeks,
        distance=total,
    )


def _course(drawn: WeekMoods | None) -> str:
    """Say in words how the mood line runs, for those who do not see it."""
    smoothed = drawn.smoothed if drawn else []
    known = [mood for mood in smoothed if mood is not None]
    if not known:
        return _("No answers in these weeks.")
    first, lowest, highest, last = (
        localized(f"{mood:.1f}")
        for mood in (known[0], min(known), max(known), known[-1])
    )
    return _(
        "Smoothed mood, from 1 Awful to 5 Great: %(first)s at the start, %(lowest)s at "
        "its lowest, %(highest)s at its highest, %(last)s at the end.",
        first=first,
        lowest=lowest,
        highest=highest,
        last=last,
    )
