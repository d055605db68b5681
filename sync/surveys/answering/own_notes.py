"""Lines that a runner writes for themselves beside their answers: sealed, theirs alone.

No mail, log, figure or error holds one.  To look for a word means to open all of a
runner's own lines: nothing about their words is stored in any other form.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sync.bounds import MAX_ID
from sync.conflicts import retry_conflicts
from sync.crypto import Vault, hash_token
from sync.errors import MoodmilesError
from sync.language import translatable
from sync.models import RUN_IS_VISIBLE, Answer, AnswerNote, Run, Runner
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import store
from sync.surveys.answering.answer import FORM_GRACE, SurveyClosed
from sync.surveys.own_runs import find_own_run
from sync.vocabulary import AnswerKind, SealedColumn

log = structlog.get_logger()

MAX_NOTE_LENGTH = 280
NOTES_PER_PAGE = 50
_NOTE_KEY = "note"
_ANSWER_FIRST = "there is no answer that the line could stand beside"
# What joins the parts of an emoji, and the letters of some languages, is of the text.
_JOINERS = {"\N{ZERO WIDTH JOINER}", "\N{ZERO WIDTH NON-JOINER}"}
_UNSEEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn"}


class InvalidNote(MoodmilesError):
    """The line is too long; the sentence names no word of it."""


class NoAnswerForNote(MoodmilesError):
    """There is no answer that the line could stand beside."""


@dataclass(frozen=True, slots=True)
class OwnNote:
    """A line with what it stands beside; `run_id` is None where no page shows a run."""

    answer_id: int
    run_id: int | None
    kind: AnswerKind
    answered_at: datetime
    mood: int | None
    text: str


@dataclass(frozen=True, slots=True)
class SurveyNote:
    """Whether there is a line; `text` is empty for whoever may not read it."""

    is_kept: bool
    text: str


@dataclass(frozen=True, slots=True)
class OwnNotesPage:
    """One page of a runner's lines, newest first; `count` is of all that fit."""

    notes: Sequence[OwnNote]
    count: int
    page: int
    last_page: int


def clean_note(text: str) -> str:
    """Return the text as one line, or raise `InvalidNote` if it is too long.

    It is composed (NFC), and characters that nobody sees are left out.
    """
    visible = "".join(
        character
        for character in " ".join(unicodedata.normalize("NFC", text).split())
        if character in _JOINERS
        or unicodedata.category(character) not in _UNSEEN_CATEGORIES
    ).strip()
    if len(visible) > MAX_NOTE_LENGTH:
        raise InvalidNote(
            translatable(
                "A line has at most 280 characters. Please shorten it: it is still in "
                "the field."
            )
        )
    return visible


@retry_conflicts
def save_for_survey(runtime: Runtime, *, token: str, text: str) -> None:
    """Keep a line beside the answer to a mailed survey; no text removes it.

    Raises `InvalidNote`, `SurveyClosed`, or `NoAnswerForNote` before there is an
    answer.
    """
    note = clean_note(text)
    with runtime.db.transaction() as session:
        survey = store.lock_by_token(session, hash_token(token))
        now = runtime.db.now(session)
        if survey is None or survey.expires_at <= now - FORM_GRACE:
            raise SurveyClosed("This survey is over.")
        answer = store.find_answer(session, survey)
        if answer is None:
            raise NoAnswerForNote(_ANSWER_FIRST)
        _save(runtime, session, answer, note)


def load_survey_note(
    runtime: Runtime, token: str, *, reader_id: int | None
) -> SurveyNote:
    """Return what the page behind a mail's link may show of the line.

    A mail may be passed on, so the line itself is for the signed-in runner alone.
    """
    with runtime.db.read_only() as session:
        survey = store.find_by_token(session, hash_token(token))
        answer = store.find_answer(session, survey) if survey is not None else None
        if answer is None:
            return SurveyNote(is_kept=False, text="")
        vault = _open_vault(runtime, session, answer.runner_id)
        note = load_note(session, vault, answer)
    return SurveyNote(
        is_kept=bool(note), text=note if reader_id == answer.runner_id else ""
    )


@retry_conflicts
def save_for_run(runtime: Runtime, *, runner_id: int, run_id: int, text: str) -> None:
    """Keep a line beside the answer to the runner's own run; no text removes it.

    Raises `InvalidNote`, or `NoAnswerForNote` if there is no such run or no answer.
    """
    note = clean_note(text)
    with runtime.db.transaction(runner_id=runner_id) as session:
        run = find_own_run(session, runner_id, run_id)
        answer = (
            session.scalar(
                select(Answer).where(
                    Answer.runner_id == runner_id, Answer.run_id == run.id
                )
            )
            if run is not None
            else None
        )
        if answer is None:
            raise NoAnswerForNote(_ANSWER_FIRST)
        _save(runtime, session, answer, note)


@retry_conflicts
def save_for_answer(
    runtime: Runtime, *, runner_id: int, answer_id: int, text: str
) -> None:
    """Keep a line beside one of the runner's answers; no text removes it.

    Raises `InvalidNote`, or `NoAnswerForNote` for an answer that is not theirs.
    """
    note = clean_note(text)
    with runtime.db.transaction(runner_id=runner_id) as session:
        answer = (
            session.scalar(
                select(Answer).where(
                    Answer.runner_id == runner_id, Answer.id == answer_id
                )
            )
            if answer_id <= MAX_ID
            else None
        )
        if answer is None:
            raise NoAnswerForNote(_ANSWER_FIRST)
        _save(runtime, session, answer, note)


def load_note(session: Session, vault: Vault, answer: Answer | None) -> str:
    """Return the line beside an answer, empty if there is none."""
    if answer is None:
        return ""
    sealed = session.scalar(
        select(AnswerNote.sealed).where(
            AnswerNote.runner_id == answer.runner_id, AnswerNote.answer_id == answer.id
        )
    )
    return "" if sealed is None else _open_notes(vault, [sealed])[0]


def load_notes_of_runs(
    runtime: Runtime, runner_id: int, run_ids: Sequence[int]
) -> Mapping[int, str]:
    """Return the lines beside the answers to these runs of the runner, by run."""
    with runtime.db.read_only() as session:
        rows = session.execute(
            select(Answer.run_id, AnswerNote.sealed)
            .join(AnswerNote, AnswerNote.answer_id == Answer.id)
            .where(
                Answer.runner_id == runner_id,
                AnswerNote.runner_id == runner_id,
                Answer.run_id.in_(run_ids),
            )
        ).all()
        vault = _open_vault(runtime, session, runner_id)
    opened = _open_notes(vault, [row.sealed for row in rows])
    return {row.run_id: note for row, note in zip(rows, opened, strict=True)}


def load_notes_page(
    runtime: Runtime, runner_id: int, *, words: str = "", page: int = 1
) -> OwnNotesPage:
    """Return the runner's lines that hold these words, in any order and case."""
    with runtime.db.read_only() as session:
        rows = session.execute(
            select(
                AnswerNote.answer_id,
                AnswerNote.sealed,
                Answer.kind,
                Answer.answered_at,
                Answer.sealed.label("answer"),
                Run.id.label("run_id"),
            )
            .join(Answer, Answer.id == AnswerNote.answer_id)
            .outerjoin(
                Run,
                (Run.id == Answer.run_id)
                & (Run.runner_id == Answer.runner_id)
                & RUN_IS_VISIBLE,
            )
            .where(AnswerNote.runner_id == runner_id, Answer.runner_id == runner_id)
            .order_by(Answer.answered_at.desc(), Answer.id.desc())
        ).all()
        vault = _open_vault(runtime, session, runner_id)
    wanted = _fold(words).split()
    found = [
        (row, note)
        for row, note in zip(
            rows, _open_notes(vault, [row.sealed for row in rows]), strict=True
        )
        if all(word in _fold(note) for word in wanted)
    ]
    last_page = max(1, -(-len(found) // NOTES_PER_PAGE))
    page = min(max(1, page), last_page)
    shown = found[(page - 1) * NOTES_PER_PAGE : page * NOTES_PER_PAGE]
    return OwnNotesPage(
        notes=[
            OwnNote(
                answer_id=row.answer_id,
                run_id=row.run_id,
                kind=row.kind,
                answered_at=row.answered_at,
                mood=vault.open(row.answer).get("mood"),
                text=note,
            )
            for row, note in shown
        ],
        count=len(found),
        page=page,
        last_page=last_page,
    )


def encode_note(text: str) -> dict[str, str]:
    """Return a line as it is sealed and exported."""
    return {_NOTE_KEY: text}


def _save(runtime: Runtime, session: Session, answer: Answer, note: str) -> None:
    runner_id = answer.runner_id
    if not note:
        session.execute(
            delete(AnswerNote).where(
                AnswerNote.runner_id == runner_id, AnswerNote.answer_id == answer.id
            )
        )
    else:
        runners.require_mood_consent(session, runner_id)
        vault = _open_vault(runtime, session, runner_id)
        stored = session.scalar(
            select(AnswerNote).where(
                AnswerNote.runner_id == runner_id, AnswerNote.answer_id == answer.id
            )
        ) or AnswerNote(answer_id=answer.id, runner_id=runner_id)
        stored.written_at = runtime.db.now(session)
        stored.sealed = vault.seal(encode_note(note), SealedColumn.ANSWER_NOTE)
        session.add(stored)
    log.info("note kept" if note else "note removed", runner_id=runner_id)


def _open_vault(runtime: Runtime, session: Session, runner_id: int) -> Vault:
    return runtime.sealer.open_vault(session.get_one(Runner, runner_id).vault_key)


def _open_notes(vault: Vault, sealed: Sequence[bytes]) -> list[str]:
    opened = vault.open_all(sealed, SealedColumn.ANSWER_NOTE)
    return [value[_NOTE_KEY] for value in opened]


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
