"""The pictures that are only explored: each may say one careful sentence."""

import numpy as np

from sync.analytics.dataset.history import INDOORS, STREET, TRAIL, WITH_OTHERS, History
from sync.analytics.dataset.loads import (
    MONTH_DAYS,
    compute_trailing_load,
    find_week_starts,
)
from sync.analytics.panels.comparisons import (
    GroupComparison,
    PairComparison,
    compare_after_runs,
    map_to_answers,
    pair_with_mood,
)
from sync.analytics.panels.focus import build_focus_panels
from sync.analytics.stats.series import Floats, Ints
from sync.language import translatable

NOON = 12
_MIN_EARLIER_RUNS = 10
_SECONDS_PER_MINUTE = 60
_STRETCHES = "stretches"


def build_exploratory_panels(
    history: History,
) -> tuple[GroupComparison | PairComparison, ...]:
    """List the pictures that are only explored, in their fixed order.

    Eleven, and one more for each further focus question that was answered.
    """
    return (
        _compare_company(history),
        _compare_places(history),
        _compare_times_of_day(history),
        _relate_run_length(history),
        _relate_hours_since(history),
        _compare_races(history),
        _compare_longest_runs(history),
        _relate_week_load(history),
        _relate_month_load(history),
        _relate_consistency(history),
        *build_focus_panels(history),
    )


def _compare_company(history: History) -> GroupComparison:
    recorded = map_to_answers(history, history.runs.is_with_others).astype(float)
    company = np.where(
        np.isnan(history.answers.company), recorded, history.answers.company
    )
    is_together = company == WITH_OTHERS
    return compare_after_runs(
        history,
        "company",
        is_together,
        {translatable("with others"): is_together, translatable("alone"): ~is_together},
    )


def _compare_places(history: History) -> GroupComparison:
    recorded = map_to_answers(history, history.runs.place).astype(float)
    place = np.where(np.isnan(history.answers.place), recorded, history.answers.place)
    display_groups = {
        translatable("street"): place == STREET,
        translatable("park or trail"): place == TRAIL,
        translatable("indoors"): place == INDOORS,
    }
    return compare_after_runs(history, "place", place == INDOORS, display_groups)


def _compare_times_of_day(history: History) -> GroupComparison:
    hour = map_to_answers(history, history.runs.start_hour)
    display_groups = {
        translatable("morning"): hour < 11,
        translatable("midday"): (hour >= 11) & (hour < 16),
        translatable("evening"): hour >= 16,
    }
    valid = ~np.isnan(hour)
    return compare_after_runs(
        history, "time_of_day", hour < NOON, display_groups, valid=valid
    )


def _relate_run_length(history: History) -> PairComparison:
    minutes = history.about_s / _SECONDS_PER_MINUTE
    display_groups = {
        translatable("under 15 min"): minutes < 15,
        translatable("15 to 30 min"): (minutes >= 15) & (minutes < 30),
        translatable("30 to 60 min"): (minutes >= 30) & (minutes < 60),
        translatable("60 min or more"): minutes >= 60,
    }
    return pair_with_mood(
        history,
        "run_length",
        minutes,
        history.is_after_run,
        display_groups=display_groups,
    )


def _relate_hours_since(history: History) -> PairComparison:
    hours = history.hours_after
    display_groups = {
        translatable("0 to 2 hours"): hours < 2,
        translatable("2 to 6 hours"): (hours >= 2) & (hours <= 6),
        translatable("6 to 24 hours"): hours > 6,
    }
    mask = (hours >= 0) & (hours <= 24)
    return pair_with_mood(
        history, "hours_since", hours, mask, display_groups=display_groups
    )


def _compare_races(history: History) -> GroupComparison:
    is_race = map_to_answers(history, history.runs.is_race).astype(bool)
    return compare_after_runs(
        history,
        "race",
        is_race,
        {translatable("races"): is_race, translatable("others"): ~is_race},
    )


def _compare_longest_runs(history: History) -> GroupComparison:
    """Set apart runs longer than any before them, from the eleventh run on."""
    distance_m = history.runs.distance_m
    previous_record = np.maximum.accumulate(np.concatenate(([0.0], distance_m)))[:-1]
    is_longest = (distance_m > previous_record) & (
        np.arange(len(distance_m)) >= _MIN_EARLIER_RUNS
    )
    follows_longest = map_to_answers(history, is_longest).astype(bool)
    return compare_after_runs(
        history,
        "longest",
        follows_longest,
        {
            translatable("longest so far"): follows_longest,
            translatable("others"): ~follows_longest,
        },
    )


def _relate_week_load(history: History) -> PairComparison:
    """Distance of the seven days before a check-in against its mood."""
    yesterday = history.answers.local_day - 1
    load_m = compute_trailing_load(
        history.runs.distance_m, history.runs.local_day, yesterday
    )
    return pair_with_mood(history, "load", load_m, history.is_rest_day)


def _relate_month_load(history: History) -> PairComparison:
    """Distance of four weeks against the mood of check-ins in them, end to end.

    Stretches that overlap would say the same thing several times. They count from
    the first day on, so that a stretch that is over stays as it was.
    """
    is_rest_day, days = history.is_rest_day, history.runs.local_day
    answer_days = history.answers.local_day[is_rest_day]
    if not len(days) or not len(answer_days):
        return PairComparison(
            "month", np.zeros(0), np.zeros(0), np.zeros(0), observation_kind=_STRETCHES
        )
    first_day = int(days.min())
    n_stretches = max(0, (history.today - first_day) // MONTH_DAYS)
    distance_m = _sum_by_index(
        history.runs.distance_m, (days - first_day) // MONTH_DAYS, n_stretches
    )
    index = (answer_days - first_day) // MONTH_DAYS
    answer_counts = _sum_by_index(np.ones(len(index)), index, n_stretches)
    mood = _sum_by_index(history.answers.mood[is_rest_day], index, n_stretches)
    has_answers = answer_counts > 0
    starts = first_day + MONTH_DAYS * np.arange(n_stretches, dtype=np.float64)
    return PairComparison(
        "month",
        distance_m[has_answers],
        mood[has_answers] / answer_counts[has_answers],
        starts[has_answers],
        observation_kind=_STRETCHES,
    )


def _sum_by_index(amounts: Floats, index: Ints, size: int) -> Floats:
    """Add up the amounts that fall into each of `many` places, shape (many,)."""
    in_range = (index >= 0) & (index < size)
    sums = np.bincount(index[in_range], amounts[in_range], size)
    return np.asarray(sums, dtype=np.float64)


def _relate_consistency(history: History) -> PairComparison:
    """Days with a run in a week against that week's check-in mood."""
    is_rest_day = history.is_rest_day
    first_weekday = history.first_weekday
    weeks = find_week_starts(
        history.answers.local_day[is_rest_day], first_weekday=first_weekday
    )
    week, index = np.unique(weeks, return_inverse=True)
    answer_counts = np.bincount(index, minlength=len(week))
    mood = (
        np.bincount(index, history.answers.mood[is_rest_day], len(week)) / answer_counts
    )
    run_weeks = find_week_starts(history.run_days, first_weekday=first_weekday)
    run_days = np.searchsorted(run_weeks, week, side="right")
    run_days -= np.searchsorted(run_weeks, week, side="left")
    return PairComparison(
        "consistency",
        run_days.astype(np.float64),
        mood,
        week.astype(np.float64),
        observation_kind="weeks",
    )
