"""The demo's runner feels by known relations, and the product's own rules find them."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from host.demo_rows import store_demo_answers
from host.seeding import store_past
from sync.analytics import Figures, load_figures
from sync.analytics.claim_answers import answer_claims
from sync.models import (
    Answer,
    AnswerNote,
    CheckinDraw,
    Decision,
    DelayDraw,
    FigureDecision,
    Runner,
    Survey,
)
from sync.surveys.answering.own_notes import MAX_NOTE_LENGTH, load_notes_page
from sync.vocabulary import (
    AnswerKind,
    ClaimStatus,
    DecisionVerdict,
    DrawReason,
    SurveyKind,
)
from tests.support.clock import ManualClock
from tests.support.demo_runner import add_demo_runner
from tests.support.harness import Harness

pytestmark = pytest.mark.slow

SUNDAY = datetime(2026, 11, 22, 18, tzinfo=UTC)
ODD_DAYS = (
    datetime(2028, 2, 29, 9, tzinfo=UTC),
    datetime(2027, 3, 28, 0, 30, tzinfo=UTC),  # clocks go forward in half an hour
    datetime(2027, 10, 31, 1, 30, tzinfo=UTC),  # clocks have gone back
    datetime(2027, 12, 31, 23, 59, tzinfo=UTC),
)


@pytest.fixture
def now() -> datetime:
    return SUNDAY


@pytest.fixture
def clock(now: datetime) -> ManualClock:
    return ManualClock(now)


@pytest.fixture
def demo_runner_id(harness: Harness) -> int:
    """Return a runner with 18 months of runs and answers."""
    return add_demo_runner(harness)


def load_all_figures(harness: Harness, runner_id: int) -> Figures:
    return load_figures(harness.runtime, runner_id, is_complete=True)


def list_headline_verdicts(figures: Figures) -> dict[str, str]:
    return {
        panel.name: panel.decision.outcome.verdict
        for panel in figures.headline
        if panel.decision is not None
    }


def test_all_three_headlines_speak_and_no_sentence_is_written_by_hand(
    harness: Harness, demo_runner_id: int
) -> None:
    with harness.runtime.db.read_only() as session:
        assert session.scalar(select(func.count()).select_from(FigureDecision)) == 0

    figures = load_all_figures(harness, demo_runner_id)

    assert list_headline_verdicts(figures) == {
        "after_runs": "higher",
        "mileage": "best",
        "stress": "lower",
    }
    assert "30–40 km" in figures.mileage.sentence
    assert not figures.support
    for panel in figures.headline:
        assert panel.decision is not None
        # A milestone that the answers have reached, and the first after which there
        # has been no further one.
        assert panel.decision.milestone in {60, 120}
        assert panel.decision.revised_at is None


def test_most_claims_have_something_to_say_and_some_have_not_yet(
    harness: Harness, demo_runner_id: int
) -> None:
    figures = load_all_figures(harness, demo_runner_id)
    with harness.runtime.db.read_only() as session:
        preferences = session.get_one(Runner, demo_runner_id).preferences

    by_status: dict[ClaimStatus, set[int]] = {status: set() for status in ClaimStatus}
    for answer in answer_claims(figures.panels, preferences):
        by_status[answer.status].add(answer.claim.number)

    # Mood, stress and mileage; and as honest, what is not so and what nobody asked.
    assert by_status[ClaimStatus.CLEAR] >= {1, 2, 8}
    assert len(by_status[ClaimStatus.CLEAR] | by_status[ClaimStatus.NO_LINK]) >= 12
    assert 4 in by_status[ClaimStatus.PICTURE]
    assert by_status[ClaimStatus.TOO_FEW]
    assert by_status[ClaimStatus.NOT_ASKED] == {13}


@pytest.mark.parametrize("now", ODD_DAYS, ids=lambda now: f"{now:%Y-%m-%d}")
def test_the_headlines_speak_on_any_day(harness: Harness, demo_runner_id: int) -> None:
    now = harness.clock()
    figures = load_all_figures(harness, demo_runner_id)

    assert set(list_headline_verdicts(figures)) == {"after_runs", "mileage", "stress"}
    with harness.runtime.db.read_only() as session:
        last_answered_at = session.scalar(select(func.max(Answer.answered_at)))
        last_asked_at = session.scalar(select(func.max(Survey.sent_at)))
        last_drawn_at = session.scalar(select(func.max(CheckinDraw.decided_at)))
    assert last_answered_at is not None
    assert last_asked_at is not None
    assert last_drawn_at == now
    assert max(last_answered_at, last_asked_at) < now


def test_about_seven_in_ten_questions_are_answered(
    harness: Harness, demo_runner_id: int
) -> None:
    with harness.runtime.db.read_only() as session:
        asked = session.scalar(select(func.count()).select_from(Survey)) or 0
        answered = session.scalar(
            select(func.count()).where(Answer.survey_id.is_not(None))
        )

    assert answered == pytest.approx(0.8 * asked, rel=0.1)


def test_every_run_has_the_decision_that_its_question_came_from(
    harness: Harness, demo_runner_id: int
) -> None:
    with harness.runtime.db.read_only() as session:
        asked_run_ids = set(
            session.scalars(select(Survey.run_id).where(Survey.kind == SurveyKind.RUN))
        )
        decided_run_ids = set(
            session.scalars(
                select(Decision.run_id).where(Decision.verdict == DecisionVerdict.SEND)
            )
        )

    assert len(asked_run_ids) > 200
    assert decided_run_ids == asked_run_ids


def test_check_ins_come_of_a_draw_on_every_day_and_today_has_none(
    harness: Harness, demo_runner_id: int
) -> None:
    with harness.runtime.db.read_only() as session:
        draws = session.scalars(
            select(CheckinDraw).order_by(CheckinDraw.local_day)
        ).all()
        checkin_ids = set(
            session.scalars(select(Survey.id).where(Survey.kind == SurveyKind.CHECKIN))
        )
        kinds = Counter(session.scalars(select(Answer.kind)))
        delays = session.scalar(select(func.count()).select_from(DelayDraw)) or 0

    days = [draw.local_day for draw in draws]
    assert (days[-1] - days[0]).days == len(days) - 1
    assert draws[-1].local_day == SUNDAY.date()
    assert draws[-1].reason == DrawReason.NOT_DRAWN
    assert sum(draw.drawn for draw in draws) == pytest.approx(
        2 / 7 * len(draws), rel=0.2
    )
    assert {draw.survey_id for draw in draws} - {None} == checkin_ids
    assert kinds[AnswerKind.CHECKIN] >= 40
    assert kinds[AnswerKind.PRE_RUN] >= 60
    assert delays >= 40


def test_some_lines_for_oneself_stand_beside_the_answers(
    harness: Harness, demo_runner_id: int
) -> None:
    notes = load_notes_page(harness.runtime, demo_runner_id).notes

    assert len(notes) >= 8
    assert all(0 < len(note.text) <= MAX_NOTE_LENGTH for note in notes)
    with harness.runtime.db.read_only() as session:
        written_ats = session.execute(
            select(AnswerNote.written_at, Answer.answered_at).join(
                Answer, Answer.id == AnswerNote.answer_id
            )
        ).all()
    assert all(row.written_at == row.answered_at for row in written_ats)


def test_a_second_start_changes_nothing_and_would_make_up_the_same(
    harness: Harness, demo_runner_id: int
) -> None:
    def read_answers() -> list[tuple[object, ...]]:
        with harness.runtime.db.read_only() as session:
            vault = harness.runtime.sealer.open_vault(
                session.get_one(Runner, demo_runner_id).vault_key
            )
            rows = session.execute(
                select(
                    Answer.kind, Answer.run_id, Answer.answered_at, Answer.sealed
                ).order_by(Answer.answered_at)
            ).all()
            return [(*row[:3], vault.open(row.sealed)) for row in rows]

    first = read_answers()
    store_past(harness.runtime, demo_runner_id)
    assert read_answers() == first, "it was stored twice"
    with harness.runtime.db.transaction() as session:
        for table in (Answer, Survey, CheckinDraw, DelayDraw):
            for row in session.scalars(select(table)):
                session.delete(row)
    with harness.runtime.db.transaction() as session:
        store_demo_answers(harness.runtime, session, demo_runner_id)

    assert read_answers() == first
