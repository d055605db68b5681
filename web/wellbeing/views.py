"""A runner's own line over time, beside the distance of the 28 days up to each day.

Nothing is computed from the two together: a dozen answers a year cannot carry it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sync.analytics.dataset.distances import MONTH, month_loads
from sync.analytics.dataset.overview import Dashboard
from sync.language import gettext as _
from sync.language import ngettext
from web.charts import wellbeing_line
from web.charts.wellbeing_line import OwnLine
from web.formats import Unit, distance, in_unit, in_zone, number, short

MOST_SHOWN = timedelta(weeks=104)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Look:
    """One answer; `month_m` is None where the host may not keep that many runs."""

    day: date
    value: int
    month_m: float | None


@dataclass(frozen=True, slots=True)
class LineView:
    drawn: OwnLine
    label: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_cut: bool


def looks(
    points: Sequence[tuple[datetime, int]], data: Dashboard | None, zone: str
) -> list[Look]:
    """Return each answer on the runner's own day, with the distance up to it."""
    days = [in_zone(at, zone).date() for at, _value in points]
    loads: Sequence[float | None] = [None] * len(days)
    if data is not None:
        loads = month_loads(_runs(data), days)
    return [
        Look(day, value, load)
        for day, (_at, value), load in zip(days, points, loads, strict=True)
    ]


def line_view(
    found: Sequence[Look], data: Dashboard | None, unit: Unit
) -> LineView | None:
    """Draw the last two years of answers; None without any."""
    if not found:
        return None
    shown = [look for look in found if look.day > found[-1].day - MOST_SHOWN]
    first = shown[0].day - MONTH
    days = [first + DAY * n for n in range((shown[-1].day - first).days + 1)]
    loads = month_loads(_runs(data), days) if data else []
    rows = [_row(look, unit) for look in reversed(found)]
    head = [_("Day"), _("0 to 100")]
    if data is not None:
        head.append(_("Distance of 28 days (%(unit)s)", unit=unit))
    return LineView(
        drawn=wellbeing_line.draw(
            days,
            [(look.day, look.value) for look in shown],
            [in_unit(load, unit) for load in loads],
        ),
        label=_label(shown, unit),
        head=head,
        rows=rows,
        is_cut=len(shown) < len(found),
    )


def _runs(data: Dashboard) -> list[tuple[date, float]]:
    stored = data.runs.stored
    days = map(date.fromordinal, stored.local_day)
    return list(zip(days, stored.distance_m, strict=True))


def _row(look: Look, unit: Unit) -> list[str]:
    row = [short(look.day), str(look.value)]
    if look.month_m is not None:
        row.append(number(in_unit(look.month_m, unit)))
    return row


def _label(shown: Sequence[Look], unit: Unit) -> str:
    """Say in words how both run, for those who do not see it."""
    values = [look.value for look in shown]
    said = ngettext(
        "%(n)s answer, from 0 to 100: %(last)s.",
        "%(n)s answers, from 0 to 100: %(first)s at the start, %(lowest)s at the "
        "lowest, %(highest)s at the highest, %(last)s at the end.",
        len(values),
        first=values[0],
        lowest=min(values),
        highest=max(values),
        last=values[-1],
    )
    first_m, last_m = shown[0].month_m, shown[-1].month_m
    if first_m is None or last_m is None:
        return said
    ran = _(
        "Distance of the 28 days up to the first: %(first)s; up to the last: %(last)s.",
        first=distance(first_m, unit),
        last=distance(last_m, unit),
    )
    return f"{said} {ran}"
