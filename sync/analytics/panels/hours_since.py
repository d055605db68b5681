"""Mood against the hours since the run."""

from dataclasses import fields, replace

from typing_extensions import override

from sync.analytics.panels.definition import (
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
    pair_with_mood,
)
from sync.analytics.panels.panel import Drawing
from sync.analytics.sentences.catalogue import build_note
from sync.analytics.sentences.milestones import PanelDecision
from sync.language import translatable


class HabitualHours(PairComparison):
    """Moods by the hours at which the runner happened to answer."""

    @override
    def draw(self, decision: PanelDecision | None) -> Drawing:
        drawing = PairComparison.draw(self, decision)
        remark = build_note("asked_by_habit")
        return replace(drawing, remarks=(*drawing.remarks, remark))


def pair_hours_since(history: History) -> HabitualHours:
    hours = history.hours_after
    display_groups = {
        translatable("0 to 2 hours"): hours < 2,
        translatable("2 to 6 hours"): (hours >= 2) & (hours <= 6),
        translatable("6 to 24 hours"): hours > 6,
    }
    mask = (hours >= 0) & (hours <= 24)
    pairs = pair_with_mood(
        history,
        hours,
        mask,
        display_groups=display_groups,
        scatter_label=translatable("Hours since the run"),
    )
    return HabitualHours(
        **{each.name: getattr(pairs, each.name) for each in fields(pairs)}
    )


PANELS = (
    PanelDefinition(
        name="hours_since",
        position=80,
        title=translatable("Hours since the run"),
        compare=pair_hours_since,
        sentences={
            "higher": Sentence(
                translatable("Mood tended to be higher the longer ago the run was.")
            ),
            "lower": Sentence(
                translatable("Mood tended to be lower the longer ago the run was.")
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between hours since the run and mood."
                )
            ),
        },
    ),
)
