"""Stored decisions, and the runner's row that figures depend on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.analytics.sentences.milestones import Outcome, PanelDecision
from sync.crypto import Vault
from sync.database import dialect_insert
from sync.models import FigureDecision, Runner, Survey
from sync.vocabulary import DistanceUnit, SealedColumn


@dataclass(frozen=True, slots=True)
class RunnerSnapshot:
    """The values of a runner's row that figures depend on."""

    data_version: int
    vault_key: bytes
    zone: ZoneInfo
    units: DistanceUnit
    first_weekday: int


def load_runner_snapshot(session: Session, runner_id: int) -> RunnerSnapshot:
    row = session.execute(
        select(
            Runner.data_version, Runner.vault_key, Runner.zone, Runner.preferences
        ).where(Runner.id == runner_id)
    ).one()
    return RunnerSnapshot(
        data_version=row.data_version,
        vault_key=row.vault_key,
        zone=ZoneInfo(row.zone),
        units=row.preferences.units,
        first_weekday=row.preferences.week_starts.weekday,
    )


def count_asked(session: Session, runner_id: int) -> int:
    """Count the questions that reached the runner and were not cancelled."""
    count = select(func.count()).where(
        Survey.runner_id == runner_id,
        Survey.sent_at.is_not(None),
        Survey.cancelled_for.is_(None),
    )
    return session.scalars(count).one()


def load_decisions(
    session: Session, runner_id: int, vault: Vault
) -> dict[str, PanelDecision]:
    """Return the standing decisions, by panel."""
    table = FigureDecision.__table__.c
    rows = session.execute(select(*table).where(table.runner_id == runner_id)).all()
    decisions = {}
    for row in rows:
        content = vault.open(row.sealed, SealedColumn.FIGURE_DECISION)
        decisions[row.panel] = PanelDecision(
            milestone=row.milestone,
            digest=content["digest"],
            outcome=Outcome(content["sentence"], content["facts"]),
            decided_at=row.decided_at,
            revised_at=row.revised_at,
            rules_version=row.rules,
        )
    return decisions


def save_decisions(
    session: Session,
    runner_id: int,
    vault: Vault,
    decisions_by_panel: Mapping[str, PanelDecision],
    *,
    data_version: int,
) -> None:
    """Store decisions, unless decisions from newer data are stored already."""
    for panel, decision in decisions_by_panel.items():
        values = {
            "milestone": decision.milestone,
            "rules": decision.rules_version,
            "data_version": data_version,
            "sealed": vault.seal(
                {
                    "sentence": decision.outcome.sentence_key,
                    "facts": dict(decision.outcome.facts),
                    # It is made of moods: unsealed, it would let them be guessed.
                    "digest": decision.digest,
                },
                SealedColumn.FIGURE_DECISION,
            ),
            "decided_at": decision.decided_at,
            "revised_at": decision.revised_at,
        }
        session.execute(
            dialect_insert(session, FigureDecision)
            .values(runner_id=runner_id, panel=panel, **values)
            .on_conflict_do_update(
                index_elements=["runner_id", "panel"],
                set_=values,
                where=FigureDecision.data_version <= data_version,
            )
        )


def compute_local_day(now: datetime, zone: ZoneInfo) -> int:
    return now.astimezone(zone).toordinal()
