"""Decisions, surveys and answers: how a run becomes a dot."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from sync.models.base import Model, RowId, SharedJson
from sync.vocabulary import (
    AnswerKind,
    CancellationReason,
    DecisionReason,
    DecisionVerdict,
    DrawReason,
    SurveyKind,
)


class Decision(Model):
    """Whether a run was asked about, or why not; exactly one for each run."""

    __tablename__ = "decision"

    run_id: Mapped[int] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True
    )
    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), index=True
    )
    verdict: Mapped[DecisionVerdict]
    reason: Mapped[DecisionReason]
    minutes_since_end: Mapped[int | None]
    policy: Mapped[dict[str, Any]] = mapped_column(SharedJson)
    decided_at: Mapped[datetime]


class Survey(Model):
    """An invitation for one run (`run_id`) or, without one, a rest-day check-in.

    The link in the mail holds a random token; only its hash is kept.
    `local_day` is the day on which the runner is to get it, `tags` what the
    answer will keep of how it came about.
    """

    __tablename__ = "survey"
    __table_args__ = (
        UniqueConstraint("runner_id", "pairing_key"),
        Index("ix_survey_runner_id_send_at", "runner_id", "send_at"),
    )

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    runner_id: Mapped[int] = mapped_column(ForeignKey("runner.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(
        ForeignKey("run.id", ondelete="SET NULL"), unique=True
    )
    pairing_key: Mapped[str | None]
    kind: Mapped[SurveyKind]
    token_hash: Mapped[str] = mapped_column(unique=True)
    instrument: Mapped[str]
    reversed_order: Mapped[bool]
    focus: Mapped[str | None]
    tags: Mapped[dict[str, Any]] = mapped_column(default=dict)
    local_day: Mapped[date | None]
    created_at: Mapped[datetime]
    send_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    skipped_at: Mapped[datetime | None]
    cancelled_for: Mapped[CancellationReason | None]


class CheckinDraw(Model):
    """One day's draw for a check-in: kept also when it said no, with its odds."""

    __tablename__ = "checkin_draw"

    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), primary_key=True
    )
    local_day: Mapped[date] = mapped_column(primary_key=True)
    probability: Mapped[float]
    drawn: Mapped[bool]
    reason: Mapped[DrawReason]
    survey_id: Mapped[int | None] = mapped_column(
        ForeignKey("survey.id", ondelete="SET NULL")
    )
    decided_at: Mapped[datetime]


class DelayDraw(Model):
    """The delay that was drawn for the question about one run, with its odds.

    It is drawn once, and stays when the question is decided about again or the run
    goes: `pairing_key` finds the run if it returns.  `odds` has the probability of
    each delay that was offered, by its hours as text; `asks_at` is when the question
    is to go out.
    """

    __tablename__ = "delay_draw"
    __table_args__ = (UniqueConstraint("runner_id", "pairing_key"),)

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    runner_id: Mapped[int] = mapped_column(ForeignKey("runner.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(
        ForeignKey("run.id", ondelete="SET NULL"), unique=True
    )
    pairing_key: Mapped[str]
    delay_h: Mapped[int]
    odds: Mapped[dict[str, Any]]
    asks_at: Mapped[datetime]
    drawn_at: Mapped[datetime]


class Answer(Model):
    """What the runner said.  `sealed` is JSON under the runner's own vault key.

    It belongs to the runner and outlives the run: `run_id` empties when the
    run goes, the answer stays, and `pairing_key` finds the run if it returns.
    """

    __tablename__ = "answer"
    __table_args__ = (
        UniqueConstraint("runner_id", "pairing_key"),
        Index("ix_answer_runner_id_answered_at", "runner_id", "answered_at"),
    )

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    runner_id: Mapped[int] = mapped_column(ForeignKey("runner.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(
        ForeignKey("run.id", ondelete="SET NULL"), unique=True
    )
    pairing_key: Mapped[str | None]
    survey_id: Mapped[int | None] = mapped_column(
        ForeignKey("survey.id", ondelete="SET NULL"), unique=True
    )
    kind: Mapped[AnswerKind]
    instrument: Mapped[str]
    reversed_order: Mapped[bool]
    answered_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]
    minutes_since_end: Mapped[int | None]
    tags: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class AnswerNote(Model):
    """A line that a runner wrote for themselves beside an answer; it goes with it.

    `sealed` is JSON under the runner's own vault key.
    """

    __tablename__ = "answer_note"

    answer_id: Mapped[int] = mapped_column(
        ForeignKey("answer.id", ondelete="CASCADE"), primary_key=True
    )
    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), index=True
    )
    written_at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
