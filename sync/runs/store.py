"""The run table: upserts by Strava's id, and what hangs on a run."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, case, delete, or_, select, update
from sqlalchemy.orm import Session

from sync.database import Bind, insert
from sync.models import Mail, Run, SetAside, Survey
from sync.runs.reconcile_rules import Known
from sync.runs.relink import pair_again
from sync.runs.rules import SOURCE, columns
from sync.strava import RemoteRun, Unreadable

_HABIT_RUNS = 60
# What a later word of Strava's does not change.
_FIXED = {"source", "source_id", "runner_id", "undecided_since", "imported"}


def starts(
    session: Session, runner_id: int, source_ids: Iterable[int]
) -> Sequence[datetime]:
    """Return when those of these runs began that we know."""
    return session.scalars(
        select(Run.started_at).where(
            Run.runner_id == runner_id,
            Run.source == SOURCE,
            Run.source_id.in_(list(source_ids)),
        )
    ).all()


def held(session: Session, runner_id: int, source_ids: Sequence[int]) -> Sequence[int]:
    """Return our ids of those of these runs that we have."""
    return session.scalars(
        select(Run.id).where(
            Run.runner_id == runner_id,
            Run.source == SOURCE,
            Run.source_id.in_(source_ids),
        )
    ).all()


def compared(
    session: Session,
    runner_id: int,
    since: datetime,
    until: datetime,
    source_ids: Sequence[int],
) -> list[Known]:
    """Return the runs between two starts, and those with one of these ids."""
    columns = Run.__table__.c
    mine = [columns.runner_id == runner_id, columns.source == SOURCE]
    rows = [
        *session.execute(
            select(Run.__table__).where(*mine, columns.started_at.between(since, until))
        ).mappings()
    ]
    seen = {row["source_id"] for row in rows}
    elsewhere = [one for one in source_ids if one not in seen]
    if elsewhere:
        rows += session.execute(
            select(Run.__table__).where(*mine, columns.source_id.in_(elsewhere))
        ).mappings()
    return [
        Known(row["source_id"], row["started_at"], row["hidden_at"] is not None, row)
        for row in rows
    ]


def finishes(session: Session, runner_id: int) -> list[tuple[datetime, int]]:
    """Return when and where the runner's last runs ended, the newest first."""
    rows = session.execute(
        select(Run.started_at, Run.elapsed_s, Run.offset_s)
        .where(Run.runner_id == runner_id, Run.hidden_at.is_(None))
        .where(Run.start_known)
        .order_by(Run.started_at.desc())
        .limit(_HABIT_RUNS)
    )
    return [
        (started_at + timedelta(seconds=elapsed_s), offset_s)
        for started_at, elapsed_s, offset_s in rows
    ]


def hidden(session: Session, runner_id: int) -> Sequence[int]:
    """Return Strava's ids of the runs that are out of sight and not yet gone."""
    return session.scalars(
        select(Run.source_id)
        .where(Run.runner_id == runner_id, Run.source == SOURCE)
        .where(Run.hidden_at.is_not(None))
    ).all()


def save(
    session: Session,
    runner_id: int,
    remotes: Sequence[RemoteRun],
    *,
    now: datetime,
    imported: bool = False,
) -> None:
    """Store these runs as Strava describes them now.

    A run that comes back finds its answer and its survey again.
    """
    if not remotes:
        return
    ours = {
        "runner_id": runner_id,
        "undecided_since": now,
        "imported": imported,
        "fetched_at": now,
    }
    rows = [columns(remote) | ours for remote in remotes]
    session.execute(_upsert(session.get_bind(), tuple(rows[0])), rows)
    pair_again(session, runner_id, [remote.id for remote in remotes])


@lru_cache(maxsize=4)  # building it costs more than running it
def _upsert(bind: Bind, names: Sequence[str]) -> Executable:
    """Return what stores a run with these columns, or what is new about it."""
    # The table and not its class: the ORM has nothing to add but time.
    statement = insert(bind, Run.__table__)
    told = statement.excluded
    kept = {name: told[name] for name in names if name not in _FIXED}
    # One that was out of sight may still be to be asked about.
    undecided_since = case(
        (Run.hidden_at.is_not(None), told.undecided_since),
        else_=Run.undecided_since,
    )
    return statement.on_conflict_do_update(
        index_elements=["source", "source_id"],
        set_=kept | {"hidden_at": None, "undecided_since": undecided_since},
        # Whoever linked first keeps the run; ids never change hands.
        where=Run.runner_id == told.runner_id,
    )


def hide(
    session: Session, runner_id: int, source_ids: Collection[int], *, now: datetime
) -> list[datetime]:
    """Take runs out of every figure at once; return when they began."""
    if not source_ids:
        return []  # to look for none of them would read them all
    hidden = session.execute(
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
    _cancel_surveys(session, [row.id for row in hidden], now=now)
    return [row.started_at for row in hidden]


def remove(
    session: Session, runner_id: int, source_ids: Collection[int], *, now: datetime
) -> list[datetime]:
    """Delete runs for good and return when they began; answers stay."""
    if not source_ids:
        return []
    mine = [
        Run.runner_id == runner_id,
        Run.source == SOURCE,
        Run.source_id.in_(list(source_ids)),
    ]
    rows = session.execute(select(Run.id, Run.started_at).where(*mine)).all()
    doomed = [row.id for row in rows]
    _cancel_surveys(session, doomed, now=now)
    session.execute(delete(Run).where(Run.id.in_(doomed)))
    return [row.started_at for row in rows]


def show(session: Session, runner_id: int, source_id: int, visibility: str) -> bool:
    """Note who may see a run; return whether we hold it."""
    found = session.scalar(
        update(Run)
        .where(
            Run.runner_id == runner_id,
            Run.source == SOURCE,
            Run.source_id == source_id,
        )
        .values(visibility=visibility)
        .returning(Run.id)
    )
    return found is not None


def set_aside(
    session: Session, runner_id: int, records: Sequence[Unreadable], *, now: datetime
) -> None:
    """Keep what could not be read, with the reason, for a later try."""
    for record in records:
        values: dict[str, Any] = {"reason": record.reason, "at": now}
        session.execute(
            insert(session, SetAside)
            .values(runner_id=runner_id, source_id=record.id, **values)
            .on_conflict_do_update(
                index_elements=["runner_id", "source_id"], set_=values
            )
        )


def _cancel_surveys(session: Session, run_ids: Sequence[int], *, now: datetime) -> None:
    """Ask no more about runs that have gone, and keep unsent mails in."""
    if not run_ids:
        return
    surveys = session.scalars(
        update(Survey)
        .where(Survey.run_id.in_(run_ids), Survey.cancelled_for.is_(None))
        .where(or_(Survey.sent_at.is_(None), Survey.expires_at > now))
        .values(cancelled_for="run gone")
        .returning(Survey.id)
    ).all()
    session.execute(
        update(Mail)
        .where(Mail.survey_id.in_(surveys), Mail.sent_at.is_(None))
        .values(due_at=None, withheld_for="run gone", sealed=None)
    )
