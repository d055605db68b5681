"""The run table: upserts by Strava's id, and what hangs on a run."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Row,
    and_,
    bindparam,
    case,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from sync.crypto import Sealer
from sync.database import Bind, dialect_insert
from sync.models import RUN_IS_TIMED, Mail, QuarantinedRecord, Run, Survey
from sync.run_judgement import judge_run
from sync.runs.relink import relink_answers
from sync.runs.rules import SOURCE, to_columns
from sync.strava import RemoteRun, UnreadableRecord
from sync.vocabulary import CancellationReason, SuppressionReason, Visibility

_MAX_HABIT_RUNS = 60
_SELECT_FIRST_SEEN = select(
    Run.source_id, Run.first_seen_at, Run.started_at, Run.from_file
).where(
    Run.runner_id == bindparam("own_runner_id", type_=Run.runner_id.type),
    Run.source == SOURCE,
    Run.source_id.in_(
        bindparam("source_ids", expanding=True, type_=Run.source_id.type)
    ),
)
# What a later word of Strava's does not change.
_IMMUTABLE_COLUMNS = {
    "source",
    "source_id",
    "runner_id",
    "undecided_since",
    "imported",
}


def find_run_ids(
    session: Session, runner_id: int, source_ids: Sequence[int]
) -> Sequence[int]:
    """Return our ids of those of these runs that we have."""
    return session.scalars(
        select(Run.id).where(
            Run.runner_id == runner_id,
            Run.source == SOURCE,
            Run.source_id.in_(source_ids),
        )
    ).all()


def load_known_rows(
    session: Session,
    runner_id: int,
    since: datetime,
    until: datetime,
    source_ids: Sequence[int],
) -> Sequence[Mapping[str, Any]]:
    """Return the rows of runs between two starts, and of those with these ids."""
    table_columns = Run.__table__.c
    own_runs = [table_columns.runner_id == runner_id, table_columns.source == SOURCE]
    rows = [
        *session.execute(
            select(Run.__table__).where(
                *own_runs, table_columns.started_at.between(since, until)
            )
        ).mappings()
    ]
    loaded_ids = {row["source_id"] for row in rows}
    missing_ids = [source_id for source_id in source_ids if source_id not in loaded_ids]
    if missing_ids:
        rows += session.execute(
            select(Run.__table__).where(
                *own_runs, table_columns.source_id.in_(missing_ids)
            )
        ).mappings()
    return rows


def load_finishes(session: Session, runner_id: int) -> list[tuple[datetime, int]]:
    """Return when and where the runner's last runs ended, the newest first."""
    rows = session.execute(
        select(Run.started_at, Run.trusted_elapsed_s, Run.offset_s)
        .where(Run.runner_id == runner_id, RUN_IS_TIMED)
        .where(Run.start_known)
        .order_by(Run.started_at.desc())
        .limit(_MAX_HABIT_RUNS)
    )
    return [
        (started_at + timedelta(seconds=elapsed_s), offset_s)
        for started_at, elapsed_s, offset_s in rows
    ]


def began_before(since: datetime) -> ColumnElement[bool]:
    """Say that a run began before a time, or came before it with its clock ahead."""
    return or_(Run.started_at < since, and_(Run.clock_ahead, Run.first_seen_at < since))


def find_hidden(session: Session, runner_id: int) -> Sequence[int]:
    """Return Strava's ids of the runs that are out of sight and not yet gone."""
    return session.scalars(
        select(Run.source_id)
        .where(Run.runner_id == runner_id, Run.source == SOURCE)
        .where(Run.hidden_at.is_not(None))
    ).all()


def upsert_runs(  # noqa: PLR0913
    session: Session,
    sealer: Sealer,
    runner_id: int,
    remotes: Sequence[RemoteRun],
    *,
    now: datetime,
    imported: bool = False,
) -> list[datetime]:
    """Store these runs as Strava describes them now; return when they began before.

    A run that comes back finds its answer and its survey again.  One that only an
    imported file told of becomes what Strava says, and is decided about as if new.
    What counts of it follows from what it says and when we first heard of it.
    """
    if not remotes:
        return []
    known = _load_first_seen(session, runner_id, [remote.id for remote in remotes])
    own_columns = {
        "runner_id": runner_id,
        "undecided_since": now,
        "imported": imported,
        "fetched_at": now,
    }
    rows = []
    for remote in remotes:
        row = known.get(remote.id)
        # A file that puts a run elsewhere than Strava does was not about this one.
        if row is None or (row.from_file and row.started_at != remote.started_at):
            first_seen_at = now
        else:
            first_seen_at = row.first_seen_at
        judgement = judge_run(
            started_at=remote.started_at,
            local_day=remote.local_day,
            distance_m=remote.distance_m,
            moving_s=remote.moving_s,
            elapsed_s=remote.elapsed_s,
            first_seen_at=first_seen_at,
        )
        judged_columns = {
            "first_seen_at": first_seen_at,
            "clock_ahead": judgement.clock_ahead,
            "implausible": judgement.implausible,
            "trusted_moving_s": judgement.moving_s,
            "trusted_elapsed_s": judgement.elapsed_s,
        }
        rows.append(to_columns(remote) | own_columns | judged_columns)
    session.execute(_upsert_statement(session.get_bind(), tuple(rows[0])), rows)
    relink_answers(session, sealer, runner_id, [remote.id for remote in remotes])
    return [row.started_at for row in known.values()]


def _load_first_seen(
    session: Session, runner_id: int, source_ids: Sequence[int]
) -> Mapping[int, Row[int, datetime, datetime, bool]]:
    """Return by Strava's id, of those that we have, first sight and start."""
    rows = session.execute(
        _SELECT_FIRST_SEEN, {"own_runner_id": runner_id, "source_ids": source_ids}
    )
    return {row.source_id: row for row in rows}


@lru_cache(maxsize=4)  # building it costs more than running it
def _upsert_statement(bind: Bind, column_names: Sequence[str]) -> Executable:
    """Return what stores a run with these columns, or what is new about it."""
    # The table and not its class: the ORM has nothing to add but time.
    statement = dialect_insert(bind, Run.__table__)
    excluded = statement.excluded
    updates = {
        name: excluded[name] for name in column_names if name not in _IMMUTABLE_COLUMNS
    }
    # One that was out of sight may still be to be asked about.
    undecided_since = case(
        (
            Run.hidden_at.is_not(None)
            | Run.from_file
            # It was put right: nothing about the run itself was decided yet.
            | and_(
                Run.clock_ahead | Run.implausible,
                ~excluded.clock_ahead,
                ~excluded.implausible,
            ),
            excluded.undecided_since,
        ),
        else_=Run.undecided_since,
    )
    imported = case((Run.from_file, excluded.imported), else_=Run.imported)
    return statement.on_conflict_do_update(
        index_elements=["runner_id", "source", "source_id"],
        set_=updates
        | {
            "hidden_at": None,
            "undecided_since": undecided_since,
            "imported": imported,
            "from_file": False,
        },
    )


def hide_runs(
    session: Session, runner_id: int, source_ids: Collection[int], *, now: datetime
) -> list[datetime]:
    """Take runs out of every figure at once; return when they began."""
    if not source_ids:
        return []  # to look for none of them would read them all
    rows = session.execute(
        update(Run)
        .where(
            Run.runner_id == runner_id,
            Run.source == SOURCE,
            Run.source_id.in_(list(source_ids)),
            Run.hidden_at.is_(None),
        )
        .values(hidden_at=now)
        .returning(Run.id, Run.started_at)
    ).all()
    _cancel_surveys(session, runner_id, [row.id for row in rows], now=now)
    return [row.started_at for row in rows]


def delete_runs(
    session: Session, runner_id: int, source_ids: Collection[int], *, now: datetime
) -> list[datetime]:
    """Delete runs for good and return when they began; answers stay."""
    if not source_ids:
        return []
    own_runs = [
        Run.runner_id == runner_id,
        Run.source == SOURCE,
        Run.source_id.in_(list(source_ids)),
    ]
    rows = session.execute(select(Run.id, Run.started_at).where(*own_runs)).all()
    run_ids = [row.id for row in rows]
    _cancel_surveys(session, runner_id, run_ids, now=now)
    session.execute(delete(Run).where(*own_runs, Run.id.in_(run_ids)))
    return [row.started_at for row in rows]


def set_visibility(
    session: Session, runner_id: int, source_id: int, visibility: Visibility
) -> None:
    """Note who may see a run."""
    session.execute(
        update(Run)
        .where(
            Run.runner_id == runner_id,
            Run.source == SOURCE,
            Run.source_id == source_id,
        )
        .values(visibility=visibility)
    )


def quarantine(
    session: Session,
    runner_id: int,
    records: Sequence[UnreadableRecord],
    *,
    now: datetime,
) -> None:
    """Keep what could not be read, with the reason, for a later try."""
    for record in records:
        values: dict[str, Any] = {"reason": record.reason, "at": now}
        session.execute(
            dialect_insert(session, QuarantinedRecord)
            .values(runner_id=runner_id, source_id=record.id, **values)
            .on_conflict_do_update(
                index_elements=["runner_id", "source_id"], set_=values
            )
        )


def _cancel_surveys(
    session: Session, runner_id: int, run_ids: Sequence[int], *, now: datetime
) -> None:
    """Ask no more about runs that have gone, and keep unsent mails in."""
    if not run_ids:
        return
    surveys = session.scalars(
        update(Survey)
        .where(Survey.runner_id == runner_id, Survey.run_id.in_(run_ids))
        .where(Survey.cancelled_for.is_(None))
        .where(or_(Survey.sent_at.is_(None), Survey.expires_at > now))
        .values(cancelled_for=CancellationReason.RUN_GONE)
        .returning(Survey.id)
    ).all()
    session.execute(
        update(Mail)
        .where(Mail.runner_id == runner_id, Mail.survey_id.in_(surveys))
        .where(Mail.sent_at.is_(None))
        .values(due_at=None, withheld_for=SuppressionReason.RUN_GONE, sealed=None)
    )
