"""The questions that a host added: shares of the answers, and their distance.

They are pictures: however many a host asks, no further sentence can be luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sync.analytics.panels.definition import (
    CodebookEntry,
    History,
    PanelDefinition,
)
from sync.analytics.panels.discovery import ComparedPanel
from sync.analytics.panels.pictures import ChoicePicture
from sync.analytics.sentences.catalogue import build_note

_FIRST_POSITION = 1000
PANEL_PREFIX = "host_"


@dataclass(frozen=True, slots=True)
class HostQuestion:
    """A host's question in the language of a page; `choices` are (value, words)."""

    key: str
    text: str
    choices: tuple[tuple[int, str], ...]
    is_about_run: bool

    @property
    def panel_name(self) -> str:
        return f"{PANEL_PREFIX}{self.key}"


def compare_host_questions(
    history: History, questions: Sequence[HostQuestion]
) -> list[ComparedPanel]:
    """Return a panel for each question that was ever answered."""
    return [
        ComparedPanel(
            build_definition(question, position=_FIRST_POSITION + index),
            picture_choices(history, question),
        )
        for index, question in enumerate(questions)
        if question.key in history.answers.focus
    ]


def build_definition(question: HostQuestion, *, position: int) -> PanelDefinition:
    unit = ", ".join(f"{value} = {words}" for value, words in question.choices)
    return PanelDefinition(
        name=question.panel_name,
        position=position,
        title=question.text,
        sentences={},
        compare=lambda history: picture_choices(history, question),
        questions=(question.key,),
        is_on_dashboard=False,
        is_of_host=True,
        codebook=CodebookEntry("", f"the host's; Spearman: distance, answer ({unit})"),
    )


def picture_choices(history: History, question: HostQuestion) -> ChoicePicture:
    """Set the answers beside the distance that they are about.

    That is the run's, within six hours of it, or that of the seven days before a
    check-in.  A distance that was not measured is nan.
    """
    values = history.answers.focus[question.key]
    is_about_run = question.is_about_run
    mask = ~np.isnan(values) & (
        history.is_after_run if is_about_run else history.answers.is_checkin
    )
    distance_m = (
        np.where(history.about_m > 0, history.about_m, np.nan)[mask]
        if is_about_run
        else history.compute_loads(history.answers.local_day[mask] - 1)
    )
    return ChoicePicture(
        values=values[mask],
        distance_m=distance_m,
        days=history.answer_days[mask],
        choices=dict(question.choices),
        run_ids=history.run_ids[mask],
        remarks=(build_note("host_question"), build_note("host_scale")),
    )
