"""Stress at check-ins against the distance of the four weeks before."""

import numpy as np

from sync.analytics.dataset.distances import compute_trailing_load
from sync.analytics.panels.definition import (
    MONTH_DAYS,
    CodebookEntry,
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
)
from sync.analytics.panels.panel import LEVEL_RANGE, Series, Timeline
from sync.language import translatable


def pair_stress_with_load(history: History) -> PairComparison:
    """Pair stress at each rest-day check-in with the distance of 28 days before it.

    Days before the first run are no weeks without running, so the first 28 days on
    which less than four weeks are known are left out.
    """
    runs, answers = history.runs, history.answers
    first_day = int(runs.local_day.min()) if len(runs.local_day) else history.today
    mask = (
        history.is_rest_day
        & ~np.isnan(answers.stress)
        & (answers.local_day >= first_day + MONTH_DAYS)
    )
    days, stress = answers.local_day[mask], answers.stress[mask]
    load_m = history.compute_loads(days - 1, window_days=MONTH_DAYS)
    answer_counts = compute_trailing_load(
        np.ones(len(days)), days, days, window_days=MONTH_DAYS
    ).astype(np.int64)
    return PairComparison(
        x=load_m,
        y=stress,
        days=history.answer_days[mask],
        is_mood=False,
        timeline=Timeline(
            upper=Series(
                label=translatable("Stress at check-ins, mean of four weeks"),
                days=days,
                values=compute_trailing_load(stress, days, days, window_days=MONTH_DAYS)
                / np.maximum(answer_counts, 1),
            ),
            lower=Series(
                label=translatable("Distance of four weeks"),
                days=days,
                values=load_m,
                is_distance=True,
            ),
            top=LEVEL_RANGE[1],
            answer_counts=answer_counts,
        ),
    )


PANELS = (
    PanelDefinition(
        name="stress_load",
        position=180,
        title=translatable("Stress and the last four weeks"),
        compare=pair_stress_with_load,
        is_on_dashboard=False,
        questions=("stress",),
        codebook=CodebookEntry("", "Spearman: month_m, stress; rest = 1, full 28 days"),
        sentences={
            "higher": Sentence(
                translatable(
                    "Stress at check-ins tended to be higher when the four weeks "
                    "before held more distance."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Stress at check-ins tended to be lower when the four weeks "
                    "before held more distance."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between the last four weeks and stress at "
                    "check-ins."
                )
            ),
        },
    ),
)
