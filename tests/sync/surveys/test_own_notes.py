"""A line for oneself: one line, sealed in one length, its runner's alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from sync.crypto import SEALED_BYTES
from sync.models import Answer, AnswerNote, Run
from sync.runtime import Runtime
from sync.surveys.answering import answer, own_notes, run_detail
from sync.surveys.answering.answer import SurveyClosed
from sync.surveys.answering.own_notes import (
    MAX_NOTE_LENGTH,
    InvalidNote,
    NoAnswerForNote,
    clean_note,
)
from sync.vocabulary import SealedColumn
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token

pytestmark = pytest.mark.usefixtures("database_url")


@pytest.fixture
def token(harness: Harness, runtime: Runtime) -> str:
    """Link a runner, let them run and be asked; return the token in the mail."""
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    run = harness.finish_run(athlete, distance_m=8200, ended_minutes_ago=0)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    return read_pending_token(runtime)


@pytest.fixture
def answered_token(runtime: Runtime, token: str) -> str:
    answer.record_answer(runtime, token=token, values={"mood": 1})
    return token


def list_sealed(runtime: Runtime) -> list[bytes]:
    with runtime.db.read_only() as session:
        return list(session.scalars(select(AnswerNote.sealed)))


def find_run_id(runtime: Runtime) -> int:
    with runtime.db.read_only() as session:
        return session.scalars(select(Run.id).order_by(Run.id.desc())).first() or 0


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  two\n\tlines \r\n", "two lines"),
        ("a\0b\ud83dc\u202ed", "abcd"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
        ("\N{FAMILY}", "\N{FAMILY}"),
        ("👩‍🦰 läuft", "👩‍🦰 läuft"),
        ("x" * MAX_NOTE_LENGTH, "x" * MAX_NOTE_LENGTH),
        (" \n ", ""),
    ],
)
def test_a_note_is_one_line_of_what_can_be_seen(text: str, kept: str) -> None:
    assert clean_note(text) == kept


def test_a_note_that_is_too_long_is_refused_without_a_word_of_it() -> None:
    with pytest.raises(InvalidNote) as refused:
        clean_note("secret " * 41)

    assert "secret" not in str(refused.value)


@given(st.text(max_size=400))
def test_what_is_kept_stays_as_it_is(text: str) -> None:
    try:
        kept = clean_note(text)
    except InvalidNote:
        return

    assert clean_note(kept) == kept
    kept.encode()


def test_a_note_shows_on_the_page_of_its_run_and_can_be_changed_and_removed(
    runtime: Runtime, answered_token: str
) -> None:
    run_id = find_run_id(runtime)

    own_notes.save_for_survey(runtime, token=answered_token, text="windy by the river")
    first = run_detail.load_run_detail(runtime, 1, run_id)
    own_notes.save_for_run(runtime, runner_id=1, run_id=run_id, text="sunny after all")
    second = run_detail.load_run_detail(runtime, 1, run_id)
    own_notes.save_for_run(runtime, runner_id=1, run_id=run_id, text=" ")
    third = run_detail.load_run_detail(runtime, 1, run_id)

    notes = [detail.note if detail else None for detail in (first, second, third)]
    assert notes == ["windy by the river", "sunny after all", ""]
    assert list_sealed(runtime) == []


@pytest.mark.parametrize(
    "text",
    ["windy", "x" * MAX_NOTE_LENGTH, "\N{RUNNER}" * MAX_NOTE_LENGTH, '"\\' * 140],
)
def test_every_note_is_sealed_in_one_length(
    runtime: Runtime, answered_token: str, text: str
) -> None:
    own_notes.save_for_survey(runtime, token=answered_token, text=text)

    (sealed,) = list_sealed(runtime)
    assert len(sealed) == SEALED_BYTES[SealedColumn.ANSWER_NOTE]
    assert text.encode() not in sealed
    page = own_notes.load_notes_page(runtime, 1)
    assert [note.text for note in page.notes] == [text]


def test_the_link_in_a_mail_tells_the_line_only_to_its_signed_in_runner(
    runtime: Runtime, answered_token: str
) -> None:
    own_notes.save_for_survey(runtime, token=answered_token, text="mine alone")

    read = {
        reader_id: own_notes.load_survey_note(
            runtime, answered_token, reader_id=reader_id
        )
        for reader_id in (1, 2, None)
    }

    assert all(note.is_kept for note in read.values())
    assert [read[reader_id].text for reader_id in (1, 2, None)] == [
        "mine alone",
        "",
        "",
    ]


def test_a_note_needs_an_answer_and_an_open_survey(
    harness: Harness, runtime: Runtime, token: str
) -> None:
    run_id = find_run_id(runtime)
    with pytest.raises(NoAnswerForNote):
        own_notes.save_for_survey(runtime, token=token, text="too early")
    with pytest.raises(NoAnswerForNote):
        own_notes.save_for_run(runtime, runner_id=1, run_id=run_id, text="too early")
    answer.record_answer(runtime, token=token, values={"mood": 1})
    harness.advance_clock(minutes=3 * 24 * 60)

    with pytest.raises(SurveyClosed):
        own_notes.save_for_survey(runtime, token=token, text="too late")
    with pytest.raises(SurveyClosed):
        own_notes.save_for_survey(runtime, token="nobody's", text="no such link")
    own_notes.save_for_run(
        runtime, runner_id=1, run_id=run_id, text="on the run's page"
    )

    assert len(list_sealed(runtime)) == 1


def test_nobody_writes_or_reads_beside_the_answer_of_another(
    harness: Harness, runtime: Runtime, answered_token: str
) -> None:
    own_notes.save_for_survey(runtime, token=answered_token, text="mine alone")
    other_id = harness.link_runner(harness.add_athlete(2))
    run_id = find_run_id(runtime)
    with runtime.db.read_only() as session:
        answer_id = session.scalars(select(Answer.id)).one()

    with pytest.raises(NoAnswerForNote):
        own_notes.save_for_run(runtime, runner_id=other_id, run_id=run_id, text="no")
    for any_id in (answer_id, 10**30):
        with pytest.raises(NoAnswerForNote):
            own_notes.save_for_answer(
                runtime, runner_id=other_id, answer_id=any_id, text="no"
            )

    assert own_notes.load_notes_page(runtime, other_id).count == 0
    assert own_notes.load_notes_of_runs(runtime, other_id, [run_id]) == {}
    assert own_notes.load_notes_of_runs(runtime, 1, [run_id]) == {run_id: "mine alone"}


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("", True),
        ("RIVER", True),
        ("river windy", True),
        ("strasse", True),
        ("river sunny", False),
        ("%", False),
    ],
)
def test_a_search_finds_lines_by_all_their_words(
    runtime: Runtime, answered_token: str, words: str, is_found: bool
) -> None:
    own_notes.save_for_survey(
        runtime, token=answered_token, text="Windy by the river, near Straße 5"
    )

    page = own_notes.load_notes_page(runtime, 1, words=words)

    assert (page.count == 1) is is_found


def test_a_note_goes_with_its_answer(runtime: Runtime, answered_token: str) -> None:
    own_notes.save_for_survey(runtime, token=answered_token, text="mine alone")

    run_detail.delete_answer(runtime, 1, find_run_id(runtime))

    assert list_sealed(runtime) == []
