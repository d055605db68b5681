"""What the figures are computed from: one query a table, no ORM entities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Text,
    case,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from sync.analytics.history import INDOORS, STREET, TRAIL
from sync.analytics.milestones import Decided
from sync.analytics.sentences import Finding
from sync.analytics.series import Floats
from sync.analytics.sql import day_number, epoch_s
from sync.analytics.weeks import first_weekday
from sync.crypto import Vault
from sync.database import insert
from sync.models import Answer, FigureDecision, Run, Runner, Survey

RUN = "run"
START_KNOWN, RACE, WITH_COMPANY, PLACES = 1, 2, 4, 8
# A "before" said on the way out and the wellbeing page are neither.
MOOD_KINDS = (RUN, "checkin")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose figures these are, and which state of their data."""

    data_version: int
    vault_key: bytes
    zone: ZoneInfo
    units: str
    first_weekday: int


def owner(session: Session, runner_id: int) -> Owner:
    row = session.execute(
        select(
            Runner.data_version, Runner.vault_key, Runner.zone, Runner.preferences
        ).where(Runner.id == runner_id)
    ).one()
    return Owner(
        data_version=row.data_version,
        vault_key=row.vault_key,
        zone=ZoneInfo(row.zone),
        units=row.preferences.get("units", "km"),
        first_weekday=first_weekday(row.preferences),
    )


def run_rows(session: Session, runner_id: int) -> Floats:
    """Read the runs that count, oldest first: one row of numbers each."""
    run = Run.__table__.c
    place = case(
        (or_(run.treadmill, run.sport == "VirtualRun"), INDOORS),
        (run.sport == "TrailRun", TRAIL),
        else_=STREET,
    )
    rows: CursorResult[Any] = session.connection().execute(
        select(
            run.id,
            epoch_s(run.started_at),
            run.offset_s,
            day_number(run.local_day),
            run.distance_m,
            run.moving_s,
            run.elapsed_s,
            # One number for all that is yes or no: each value costs its microsecond.
            _bit(run.start_known, START_KNOWN)
            + _bit(run.race, RACE)
            + _bit(run.with_others, WITH_COMPANY)
            + place * PLACES,
        )
        .where(run.runner_id == runner_id, run.hidden_at.is_(None), run.counted)
        .order_by(run.started_at, run.id)
    )
    # Plain numbers need nothing that SQLAlchemy's rows do for them.
    plain = rows.cursor.fetchall()
    values = np.fromiter(chain.from_iterable(plain), np.float64, 8 * len(plain))
    return values.reshape(-1, 8)


def _bit(flag: ColumnElement[bool], worth: int) -> ColumnElement[int]:
    return case((flag, worth), else_=0)


def answer_rows(session: Session, runner_id: int) -> Sequence[Any]:
    """Read the answers, oldest first, still sealed."""
    answer = Answer.__table__.c
    rows: CursorResult[Any] = session.connection().execute(
        select(
            answer.run_id,
            answer.id,
            epoch_s(answer.answered_at),
            answer.kind,
            answer.sealed,
            # As text: hardly any answer has tags, and fewer any that count here.
            func.nullif(cast(answer.tags, Text), "{}"),
        )
        .where(answer.runner_id == runner_id, answer.kind.in_(MOOD_KINDS))
        .order_by(answer.answered_at, answer.id)
    )
    return rows.cursor.fetchall()


def asked(session: Session, runner_id: int) -> int:
    """How many questions reached the runner and were meant to be answered."""
    count = select(func.count()).where(
        Survey.runner_id == runner_id,
        Survey.sent_at.is_not(None),
        Survey.cancelled_for.is_(None),
    )
    return session.scalars(count).one()


def decisions(session: Session, runner_id: int, vault: Vault) -> dict[str, Decided]:
    """Return the sentences that stand, by panel."""
    table = FigureDecision.__table__.c
    rows = session.execute(select(*table).where(table.runner_id == runner_id)).all()
    return {row.panel: _decided(row, vault.open(row.sealed)) for row in rows}


def keep(
    session: Session,
    runner_id: int,
    vault: Vault,
    found: Mapping[str, Decided],
    *,
    data_version: int,
) -> None:
    """Store decided sentences, unless newer data have been decided on meanwhile."""
    for panel, decided in found.items():
        values = {
            "milestone": decided.milestone,
            "digest": decided.digest,
            "rules": decided.rules,
            "data_version": data_version,
            "sealed": vault.seal(
                {
                    "sentence": decided.finding.sentence,
                    "facts": dict(decided.finding.facts),
                }
            ),
            "decided_at": decided.decided_at,
            "revised_at": decided.revised_at,
        }
        session.execute(
            insert(session, FigureDecision)
            .values(runner_id=runner_id, panel=panel, **values)
            .on_conflict_do_update(
                index_elements=["runner_id", "panel"],
                set_=values,
                where=FigureDecision.data_version <= data_version,
            )
        )


def _decided(row: Any, opened: Mapping[str, Any]) -> Decided:
    return Decided(
        milestone=row.milestone,
        digest=row.digest,
        finding=Finding(opened["sentence"], opened["facts"]),
        decided_at=row.decided_at,
        revised_at=row.revised_at,
        rules=row.rules,
    )


def local_today(now: datetime, zone: ZoneInfo) -> int:
    return now.astimezone(zone).toordinal()
