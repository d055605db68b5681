"""The pictures that are only explored: each may say one careful sentence."""

import numpy as np

from sync.analytics.dataset.history import INDOORS, STREET, TRAIL, WITH_OTHERS, History
from sync.analytics.dataset.loads import MONTH_DAYS, trailing_load, week_start
from sync.analytics.panels.comparisons import (
    Groups,
    Pairs,
    groups_after_runs,
    of_run,
    pairs_with_mood,
)
from sync.analytics.panels.focus import focus_panels
from sync.analytics.stats.series import Floats, Ints
from sync.language import translatable

NOON = 12
_SETTLED_RUNS = 10
_MINUTES = 60
_STRETCHES = "stretches"


def exploring(history: History) -> tuple[Groups | Pairs, ...]:
    """List the pictures that are only explored, in their fixed order.

    Eleven, and one more for each further focus question that was answered.
    """
    return (
        _company(history),
        _place(history),
        _time_of_day(history),
        _run_length(history),
        _hours_since(history),
        _race(history),
        _longest(history),
        _load(history),
        _month(history),
        _consistency(history),
        *focus_panels(history),
    )


def _company(history: History) -> Groups:
    recorded = of_run(history, history.runs.with_others).astype(float)
    told = np.where(
        np.isnan(history.answers.company), recorded, history.answers.company
    )
    together = told == WITH_OTHERS
    return groups_after_runs(
        history,
        "company",
        together,
        {translatable("with others"): together, translatable("alone"): ~together},
    )


def _place(history: History) -> Groups:
    recorded = of_run(history, history.runs.place).astype(float)
    told = np.where(np.isnan(history.answers.place), recorded, history.answers.place)
    drawn = {
        translatable("street"): told == STREET,
        translatable("park or trail"): told == TRAIL,
        translatable("indoors"): told == INDOORS,
    }
    return groups_after_runs(history, "place", told == INDOORS, drawn)


def _time_of_day(history: History) -> Groups:
    hour = of_run(history, history.runs.start_hour)
    drawn = {
        translatable("morning"): hour < 11,
        translatable("midday"): (hour >= 11) & (hour < 16),
        translatable("evening"): hour >= 16,
    }
    known = ~np.isnan(hour)
    return groups_after_runs(history, "time_of_day", hour < NOON, drawn, known=known)


def _run_length(history: History) -> Pairs:
    minutes = history.about_s / _MINUTES
    drawn = {
        translatable("under 15 min"): minutes < 15,
        translatable("15 to 30 min"): (minutes >= 15) & (minutes < 30),
        translatable("30 to 60 min"): (minutes >= 30) & (minutes < 60),
        translatable("60 min or more"): minutes >= 60,
    }
    return pairs_with_mood(
        history, "run_length", minutes, history.after_run, drawn=drawn
    )


def _hours_since(history: History) -> Pairs:
    hours = history.hours_after
    drawn = {
        translatable("0 to 2 hours"): hours < 2,
        translatable("2 to 6 hours"): (hours >= 2) & (hours <= 6),
        translatable("6 to 24 hours"): hours > 6,
    }
    used = (hours >= 0) & (hours <= 24)
    return pairs_with_mood(history, "hours_since", hours, used, drawn=drawn)


def _race(history: History) -> Groups:
    race = of_run(history, history.runs.race).astype(bool)
    return groups_after_runs(
        history,
        "race",
        race,
        {translatable("races"): race, translatable("others"): ~race},
    )


def _longest(history: History) -> Groups:
    """Set apart runs longer than any before them, from the eleventh run on."""
    distance_m = history.runs.distance_m
    record = np.maximum.accumulate(np.concatenate(([0.0], distance_m)))[:-1]
    longest = (distance_m > record) & (np.arange(len(distance_m)) >= _SETTLED_RUNS)
    of_answer = of_run(history, longest).astype(bool)
    return groups_after_runs(
        history,
        "longest",
        of_answer,
        {translatable("longest so far"): of_answer, translatable("others"): ~of_answer},
    )


def _load(history: History) -> Pairs:
    """Distance of the seven days before a check-in against its mood."""
    yesterday = history.answers.local_day - 1
    load_m = trailing_load(history.runs.distance_m, history.runs.local_day, yesterday)
    return pairs_with_mood(history, "load", load_m, history.rested)


def _month(history: History) -> Pairs:
    """Distance of four weeks against the mood of check-ins in them, end to end.

    Stretches that overlap would say the same thing several times. They count from
    the first day on, so that a stretch that is over stays as it was.
    """
    rested, days = history.rested, history.runs.local_day
    asked = history.answers.local_day[rested]
    if not len(days) or not len(asked):
        return Pairs("month", np.zeros(0), np.zeros(0), np.zeros(0), things=_STRETCHES)
    first = int(days.min())
    many = max(0, (history.today - first) // MONTH_DAYS)
    distance_m = _added(history.runs.distance_m, (days - first) // MONTH_DAYS, many)
    place = (asked - first) // MONTH_DAYS
    count = _added(np.ones(len(place)), place, many)
    mood = _added(history.answers.mood[rested], place, many)
    told = count > 0
    starts = first + MONTH_DAYS * np.arange(many, dtype=np.float64)
    return Pairs(
        "month",
        distance_m[told],
        mood[told] / count[told],
        starts[told],
        things=_STRETCHES,
    )


def _added(amounts: Floats, place: Ints, many: int) -> Floats:
    """Add up the amounts that fall into each of `many` places, shape (many,)."""
    inside = (place >= 0) & (place < many)
    found = np.bincount(place[inside], amounts[inside], many)
    return np.asarray(found, dtype=np.float64)


def _consistency(history: History) -> Pairs:
    """Days with a run in a week against that week's check-in mood."""
    rested = history.rested
    first = history.first_weekday
    weeks = week_start(history.answers.local_day[rested], first_weekday=first)
    week, place = np.unique(weeks, return_inverse=True)
    many = np.bincount(place, minlength=len(week))
    mood = np.bincount(place, history.answers.mood[rested], len(week)) / many
    run_weeks = week_start(history.run_days, first_weekday=first)
    run_days = np.searchsorted(run_weeks, week, side="right")
    run_days -= np.searchsorted(run_weeks, week, side="left")
    return Pairs(
        "consistency",
        run_days.astype(np.float64),
        mood,
        week.astype(np.float64),
        things="weeks",
    )
