"""Runs, and how far the import of a runner's past has come."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    and_,
    false,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from sync.models.base import Model, RowId
from sync.run_judgement import RunJudgement, judge_left_out, judge_run
from sync.vocabulary import (
    BackfillDelay,
    DecisionReason,
    ReconcileStop,
    RunSource,
    Visibility,
)

ValueT = TypeVar("ValueT")


def _default_first_seen_at(context: DefaultExecutionContext) -> datetime:
    moment: datetime = _get_values(context)["fetched_at"]
    return moment


def _judged(
    choose: Callable[[RunJudgement], ValueT],
) -> Callable[[DefaultExecutionContext], ValueT]:
    """Return the default of a column that holds a part of the new run's judgement."""

    def judge_new_row(context: DefaultExecutionContext) -> ValueT:
        values = _get_values(context)
        return choose(
            judge_run(
                started_at=values["started_at"],
                local_day=values["local_day"],
                distance_m=values["distance_m"],
                moving_s=values["moving_s"],
                elapsed_s=values["elapsed_s"],
                first_seen_at=values.get("first_seen_at") or values["fetched_at"],
            )
        )

    return judge_new_row


def _get_values(context: DefaultExecutionContext) -> Mapping[str, Any]:
    values: Mapping[str, Any] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return values


class Run(Model):
    """What we keep of one run: no name, no place, no heart rate.

    `hidden_at` is set when Strava no longer shows the run to us (deleted or
    private); hidden runs count nowhere and are purged later.  `undecided_since`
    is set until the survey policy has looked at the run; `imported` ones came
    with the past and are never asked about.  Of two recordings of
    one run one is `counted`; the other names it in `duplicate_of`, and both say
    with `chosen` that the runner, not our rule, decided which.  What is known of one
    `from_file` an imported file says, and Strava has not yet.  One whose `clock_ahead`
    began after `first_seen_at`, when we first heard of it: it is listed, and left out
    of plans and figures, and so is one that is `implausible`: nobody runs so far in
    such a time.  `moving_s` and `elapsed_s` are as they were reported; what counts of
    them are `trusted_moving_s`, the run's duration, and `trusted_elapsed_s`, from its
    start to its end.  The rule is `sync.run_judgement`.
    """

    __tablename__ = "run"
    __table_args__ = (
        UniqueConstraint("runner_id", "source", "source_id"),
        Index("ix_run_runner_id_started_at", "runner_id", "started_at"),
    )

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    runner_id: Mapped[int] = mapped_column(ForeignKey("runner.id", ondelete="CASCADE"))
    source: Mapped[RunSource]
    source_id: Mapped[int] = mapped_column(BigInteger)
    sport: Mapped[str]
    started_at: Mapped[datetime]
    start_known: Mapped[bool]
    zone: Mapped[str | None]
    offset_s: Mapped[int]
    local_day: Mapped[date]
    distance_m: Mapped[float]
    moving_s: Mapped[int]
    elapsed_s: Mapped[int]
    elevation_m: Mapped[float | None]
    treadmill: Mapped[bool]
    manual: Mapped[bool]
    race: Mapped[bool]
    with_others: Mapped[bool]
    device: Mapped[str | None]
    visibility: Mapped[Visibility]
    fetched_at: Mapped[datetime]
    hidden_at: Mapped[datetime | None]
    undecided_since: Mapped[datetime | None]
    imported: Mapped[bool] = mapped_column(default=False)
    counted: Mapped[bool] = mapped_column(default=True)
    duplicate_of: Mapped[int | None] = mapped_column(
        ForeignKey("run.id", ondelete="SET NULL"), index=True
    )
    chosen: Mapped[bool] = mapped_column(default=False)
    from_file: Mapped[bool] = mapped_column(default=False, server_default=false())
    first_seen_at: Mapped[datetime] = mapped_column(default=_default_first_seen_at)
    clock_ahead: Mapped[bool] = mapped_column(
        default=_judged(lambda judgement: judgement.clock_ahead), server_default=false()
    )
    trusted_elapsed_s: Mapped[int] = mapped_column(
        default=_judged(lambda judgement: judgement.elapsed_s)
    )
    trusted_moving_s: Mapped[int] = mapped_column(
        default=_judged(lambda judgement: judgement.moving_s)
    )
    implausible: Mapped[bool] = mapped_column(
        default=_judged(lambda judgement: judgement.implausible), server_default=false()
    )

    @property
    def ended_at(self) -> datetime:
        """Return the end, breaks included; a guess where the start is hidden."""
        return self.started_at + timedelta(seconds=self.trusted_elapsed_s)

    @property
    def left_out_for(self) -> DecisionReason | None:
        """Return why no figure and no plan counts it: see `RUN_IS_CREDIBLE`."""
        return judge_left_out(
            clock_ahead=self.clock_ahead, implausible=self.implausible
        )

    @property
    def started_local(self) -> datetime | None:
        """Return the start on the run's own wall clock, naive; None if hidden."""
        if not self.start_known:
            return None
        return (self.started_at + timedelta(seconds=self.offset_s)).replace(tzinfo=None)


# Every query of runs goes through one of these, or says why not in
# `tests/sync/models/test_run_queries.py`.
RUN_IS_VISIBLE = Run.__table__.c.hidden_at.is_(None)
RUN_IS_CREDIBLE = and_(~Run.__table__.c.clock_ahead, ~Run.__table__.c.implausible)
RUN_IS_TIMED = and_(RUN_IS_VISIBLE, RUN_IS_CREDIBLE)
RUN_IS_IN_FIGURES = and_(RUN_IS_TIMED, Run.__table__.c.counted)

_HIDDEN = Run.hidden_at.is_not(None)
Index("ix_run_hidden_at", Run.hidden_at, postgresql_where=_HIDDEN, sqlite_where=_HIDDEN)
# SQLite finds what "is not null" only by an index that says so, too, and takes this
# one for grouping by runner only if it begins so.
_UNDECIDED = Run.undecided_since.is_not(None)
Index(
    "ix_run_runner_id_undecided_since",
    Run.runner_id,
    Run.undecided_since,
    postgresql_where=_UNDECIDED,
    sqlite_where=_UNDECIDED,
)


class Backfill(Model):
    """The import of one runner's past: a checkpoint that survives any kill."""

    __tablename__ = "backfill"

    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), primary_key=True
    )
    before: Mapped[datetime]
    next_page: Mapped[int] = mapped_column(default=1)
    activities_seen: Mapped[int] = mapped_column(default=0)
    runs_stored: Mapped[int] = mapped_column(default=0)
    reached: Mapped[date | None]
    member_since: Mapped[date | None]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    waiting_for: Mapped[BackfillDelay | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ReconcileState(Model):
    """When a runner's runs are next reconciled with Strava's list.

    `before`, `next_page` and `down_to` are the checkpoint of a full
    reconciliation that has begun; `stopped_for` says why one was not believed.
    """

    __tablename__ = "sweep"

    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), primary_key=True
    )
    due_at: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    swept_at: Mapped[datetime | None]
    compared_at: Mapped[datetime]
    before: Mapped[datetime | None]
    next_page: Mapped[int] = mapped_column(default=1)
    down_to: Mapped[datetime | None]
    stopped_for: Mapped[ReconcileStop | None]


class QuarantinedRecord(Model):
    """A record from Strava that we could not read, kept for a later try."""

    __tablename__ = "set_aside"
    __table_args__ = (UniqueConstraint("runner_id", "source_id"),)

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    runner_id: Mapped[int] = mapped_column(ForeignKey("runner.id", ondelete="CASCADE"))
    source_id: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    at: Mapped[datetime]
