"""Stress after runs against stress at check-ins, fixed in advance."""

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


def compare_stress(history: History) -> GroupComparison:
    """Compare stress within six hours of a run with rest-day check-ins."""
    return compare_with_check_ins(history, history.answers.stress, is_mood=False)


PANELS = (
    PanelDefinition(
        name="stress",
        position=30,
        title=translatable("Stress after runs and at check-ins"),
        sides=Sides(translatable("after runs"), translatable("at check-ins")),
        compare=compare_stress,
        is_fixed=True,
        questions=("stress",),
        codebook=CodebookEntry("steps", "mean stress after_run = 1, less rest = 1"),
        sentences={
            "higher": Sentence(
                translatable(
                    "In your first {n} answers, stress after runs tended to be higher "
                    "than at check-ins: {first_plain} against {second_plain} of 4."
                ),
                translatable("It does not tell us why."),
            ),
            "lower": Sentence(
                translatable(
                    "In your first {n} answers, stress after runs tended to be lower "
                    "than at check-ins: {first_plain} against {second_plain} of 4."
                ),
                translatable("It does not tell us why."),
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far between stress after runs and at "
                    "check-ins ({n_first} runs, {n_second} check-ins)."
                )
            ),
        },
    ),
)
