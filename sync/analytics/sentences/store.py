"""Whose figures these are, and the sentences that stand about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.analytics.dataset.weeks import first_weekday
from sync.analytics.sentences.localized_text import Finding
from sync.analytics.sentences.milestones import Decided
from sync.crypto import Vault
from sync.database import insert
from sync.models import FigureDecision, Runner, Survey


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
