"""A runner's own line over time, beside the distance of the 28 days up to each day.

Nothing is computed from the two together: a dozen answers a year cannot carry it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.weeks import MONTH_DAYS
from sync.language import gettext as _
from sync.language import ngettext
from sync.time_zones import to_local
from sync.vocabulary import DistanceUnit
from web.charts import wellbeing_line
from web.charts.wellbeing_line import DayValue, OwnLine
from web.formats import (
    convert_distance,
    format_distance,
    format_number,
    format_short_date,
)

MAX_PERIOD = timedelta(weeks=104)
MONTH = timedelta(days=MONTH_DAYS)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WellbeingPoint:
    """One answer; `month_m` is None where the host may not keep that many runs."""

    day: date
    value: int
    month_m: float | None


@dataclass(frozen=True, slots=True)
class OwnLineView:
    plot: OwnLine
    label: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_cut: bool


def build_points(
    points: Sequence[tuple[datetime, int]], data: Dashboard | None, zone: str
) -> list[WellbeingPoint]:
    """Return each answer on the runner's own day, with the distance up to it."""
    days = [to_local(at, zone).date() for at, _value in points]
    loads: Sequence[float | None] = [None] * len(days)
    if data is not None:
        loads = data.compute_month_loads(days)
    return [
        WellbeingPoint(day, value, load)
        for day, (_at, value), load in zip(days, points, loads, strict=True)
    ]


def build_line_view(
    points: Sequence[WellbeingPoint], data: Dashboard | None, unit: DistanceUnit
) -> OwnLineView | None:
    """Draw the last two years of answers; None without any."""
    if not points:
        return None
    shown_points = [
        point for point in points if point.day > points[-1].day - MAX_PERIOD
    ]
    first_day = shown_points[0].day - MONTH
    days = [
        first_day + DAY * n for n in range((shown_points[-1].day - first_day).days + 1)
    ]
    loads = data.compute_month_loads(days) if data else []
    rows = []
    for point in reversed(points):
        row = [format_short_date(point.day), str(point.value)]
        if point.month_m is not None:
            row.append(format_number(convert_distance(point.month_m, unit)))
        rows.append(row)
    head = [_("Day"), _("0 to 100")]
    if data is not None:
        head.append(_("Distance of 28 days (%(unit)s)", unit=unit))
    return OwnLineView(
        plot=wellbeing_line.draw(
            days,
            [DayValue(point.day, point.value) for point in shown_points],
            [convert_distance(load, unit) for load in loads],
        ),
        label=describe_own_line(shown_points, unit),
        head=head,
        rows=rows,
        is_cut=len(shown_points) < len(points),
    )


def describe_own_line(points: Sequence[WellbeingPoint], unit: DistanceUnit) -> str:
    """Say the ends and the extremes of both lines, for screen readers."""
    values = [point.value for point in points]
    values_text = ngettext(
        "%(n)s answer, from 0 to 100: %(last)s.",
        "%(n)s answers, from 0 to 100: %(first)s at the start, %(lowest)s at the "
        "lowest, %(highest)s at the highest, %(last)s at the end.",
        len(values),
        first=values[0],
        lowest=min(values),
        highest=max(values),
        last=values[-1],
    )
    first_m, last_m = points[0].month_m, points[-1].month_m
    if first_m is None or last_m is None:
        return values_text
    distances_text = _(
        "Distance of the 28 days up to the first: %(first)s; up to the last: %(last)s.",
        first=format_distance(first_m, unit),
        last=format_distance(last_m, unit),
    )
    return f"{values_text} {distances_text}"
