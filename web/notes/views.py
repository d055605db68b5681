"""A line with what it stands beside, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from sync.language import gettext
from sync.surveys.answering.own_notes import OwnNote, OwnNotesPage
from sync.vocabulary import AnswerKind
from web.formats import format_datetime, mood_to_tile


@dataclass(frozen=True, slots=True)
class NoteDraft:
    """What was written beside an answer and could not be kept."""

    answer_id: int
    text: str


@dataclass(frozen=True, slots=True)
class NoteView:
    """One line; `draft` is what its field holds instead, `mood` a tile, 1 to 5."""

    answer_id: int
    run_id: int | None
    about: str
    when: str
    mood: int | None
    text: str
    draft: str | None


def build_note_views(
    notes_page: OwnNotesPage, *, zone: str, draft: NoteDraft | None = None
) -> Sequence[NoteView]:
    return [
        NoteView(
            answer_id=note.answer_id,
            run_id=note.run_id,
            about=_name_kind(note),
            when=format_datetime(note.answered_at, zone),
            mood=None if note.mood is None else mood_to_tile(note.mood),
            text=note.text,
            draft=draft.text if draft and draft.answer_id == note.answer_id else None,
        )
        for note in notes_page.notes
    ]


def _name_kind(note: OwnNote) -> str:
    match note.kind:
        case AnswerKind.RUN:
            return gettext("After a run")
        case AnswerKind.CHECKIN:
            return gettext("A check-in on a random day")
        case AnswerKind.PRE_RUN:
            return gettext("Before a run")
        case AnswerKind.WELLBEING:
            return gettext("A longer look")
        case _:
            assert_never(note.kind)
