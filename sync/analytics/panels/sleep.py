"""Sleep of last night: after days with a run, after rest days, after late runs."""

import numpy as np

from sync.analytics.panels.definition import (
    CodebookEntry,
    Flags,
    Floats,
    GroupComparison,
    History,
    PanelDefinition,
    Sentence,
    Sides,
)
from sync.language import translatable

LATE_HOUR = 20.5
_RUN_DAYS = Sides(
    translatable("after days with a run"), translatable("after rest days")
)
_LATE_RUNS = Sides(
    translatable("run ended after 20:30"), translatable("run ended before")
)


def compare_sleep(history: History) -> GroupComparison | None:
    """Compare nights after days with a run with nights after rest days."""
    sleep = history.answers.focus.get("sleep")
    if sleep is None:
        return None
    mask = history.answers.is_checkin & ~np.isnan(sleep)
    follows_run = np.isin(history.answers.local_day - 1, history.run_days)
    return _compare_nights(history, mask, follows_run, _RUN_DAYS)


def compare_late_runs(history: History) -> GroupComparison | None:
    """Compare nights after a run that ended after 20:30 with those after earlier ones.

    The day's last end counts; a day with a hidden time of day is left out.
    """
    sleep = history.answers.focus.get("sleep")
    if sleep is None:
        return None
    last_end = find_last_ends(history)
    mask = history.answers.is_checkin & ~np.isnan(sleep) & ~np.isnan(last_end)
    return _compare_nights(history, mask, last_end > LATE_HOUR, _LATE_RUNS)


def find_last_ends(history: History) -> Floats:
    """Return the local hour at which the runs of the day before ended, shape (m,).

    It is above 24 past midnight, and nan without a run or with a hidden time.
    """
    runs = history.runs
    # One hidden time hides its day: whether that run was the last is not known.
    end_hour = np.nan_to_num(runs.end_hour, nan=np.inf)
    days, index = np.unique(runs.local_day, return_inverse=True)
    last_end = np.full(len(days), -np.inf)
    np.maximum.at(last_end, index, end_hour)
    yesterday = history.answers.local_day - 1
    row = np.searchsorted(days, yesterday)
    is_known = np.append(days, -1)[row] == yesterday
    found = np.where(is_known, np.append(last_end, np.nan)[row], np.nan)
    return np.asarray(np.where(np.isinf(found), np.nan, found))


def _compare_nights(
    history: History, mask: Flags, in_first: Flags, sides: Sides
) -> GroupComparison:
    days_before = history.answers.local_day[mask] - 1
    return GroupComparison(
        values=history.answers.focus["sleep"][mask],
        in_first=in_first[mask],
        days=history.answer_days[mask],
        run_ids=history.find_last_runs(days_before),
        display_groups={sides.first: in_first[mask], sides.second: ~in_first[mask]},
        is_mood=False,
    )


PANELS = (
    PanelDefinition(
        name="sleep",
        position=290,
        title=translatable("Sleep after run days and rest days"),
        sides=_RUN_DAYS,
        compare=compare_sleep,
        is_on_dashboard=False,
        questions=("sleep",),
        codebook=CodebookEntry("steps", "mean sleep, ran_yesterday = 1 less 0"),
        sentences={
            "higher": Sentence(
                translatable("You tended to sleep better after days with a run.")
            ),
            "lower": Sentence(
                translatable("You tended to sleep worse after days with a run.")
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far in sleep after days with a run."
                )
            ),
        },
    ),
    PanelDefinition(
        name="late_runs",
        position=295,
        title=translatable("Sleep after late runs and earlier ones"),
        sides=_LATE_RUNS,
        compare=compare_late_runs,
        is_on_dashboard=False,
        questions=("sleep",),
        codebook=CodebookEntry(
            "steps", "mean sleep, ended_yesterday > 20.5 less others"
        ),
        sentences={
            "higher": Sentence(
                translatable(
                    "You tended to sleep better after runs that ended after 20:30."
                )
            ),
            "lower": Sentence(
                translatable(
                    "You tended to sleep worse after runs that ended after 20:30."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far in sleep after late runs and earlier "
                    "ones."
                )
            ),
        },
    ),
)
