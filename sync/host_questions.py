"""A host's own questions as the panels show them."""

from sync.analytics.panels.host_questions import HostQuestion
from sync.surveys.instruments import InstrumentLibrary


def list_host_questions(
    library: InstrumentLibrary, *, is_localized: bool
) -> tuple[HostQuestion, ...]:
    """Return the questions that a host has added.

    They are in the language that is active, or else in English, as the files have them.
    """
    return tuple(
        HostQuestion(
            key=question.key,
            text=question.text,
            choices=tuple(question.choices.items()),
            is_about_run=added.is_about_run,
        )
        for added in library.host_questions
        for question in [added.question.localize() if is_localized else added.question]
    )
