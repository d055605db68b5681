"""Mood after runs against mood at check-ins, fixed in advance."""

from sync.analytics.panels.definition import (
    CodebookEntry,
    GroupComparison,
    History,
    PanelDefinition,
    Sentence,
    Sides,
    compare_with_check_ins,
)
from sync.language import translatable


def compare_mood(history: History) -> GroupComparison:
    """Compare mood within six hours of a run with rest-day check-ins."""
    return compare_with_check_ins(history, history.answers.mood)


PANELS = (
    PanelDefinition(
        name="after_runs",
        position=10,
        title=translatable("Mood after runs and at check-ins"),
        sides=Sides(translatable("after runs"), translatable("at check-ins")),
        compare=compare_mood,
        is_fixed=True,
        codebook=CodebookEntry("steps", "mean mood after_run = 1, less rest = 1"),
        sentences={
            "higher": Sentence(
                translatable(
                    "In your first {n} answers, mood after runs tended to be higher "
                    "than at check-ins: {first} against {second}."
                ),
                translatable("It does not tell us why."),
            ),
            "lower": Sentence(
                translatable(
                    "In your first {n} answers, mood after runs tended to be lower "
                    "than at check-ins: {first} against {second}."
                ),
                translatable("It does not tell us why."),
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far between mood after runs and at check-"
                    "ins ({n_first} runs, {n_second} check-ins)."
                )
            ),
        },
    ),
)
