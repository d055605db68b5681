"""Stored decisions, and the runner's row that figures depend on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
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


@dataclass(frozen=True, slots=True)
class Look:
    """The data and the local day, as a number, that decisions were made from."""

    data_version: int
    local_day: int


@dataclass(frozen=True, slots=True)
class StoredDecisions:
    """What is stored by panel: the standing decisions, and the look of each row."""

    decisions: Mapping[str, PanelDecision]
    looks: Mapping[str, Look]

    def is_from(self, look: Look, panels: Iterable[str]) -> bool:
        """Whether each of these panels has a row, and all are from this look."""
        return all(self.looks.get(panel) == look for panel in panels)


def load_stored_decisions(
    session: Session, runner_id: int, vault: Vault
) -> StoredDecisions:
    table = FigureDecision.__table__.c
    rows = session.execute(select(*table).where(table.runner_id == runner_id)).all()
    contents = vault.open_all(
        [row.sealed for row in rows], SealedColumn.FIGURE_DECISION
    )
    decisions: dict[str, PanelDecision] = {}
    looks: dict[str, Look] = {}
    for row, content in zip(rows, contents, strict=True):
        looks[row.panel] = Look(row.data_version, content["local_day"])
        if "sentence" in content:
            decisions[row.panel] = _read_decision(content)
    return StoredDecisions(decisions, looks)


def load_decisions(
    session: Session, runner_id: int, vault: Vault
) -> Mapping[str, PanelDecision]:
    """Return the standing decisions, by panel."""
    return load_stored_decisions(session, runner_id, vault).decisions


def save_decisions(
    session: Session,
    runner_id: int,
    vault: Vault,
    decisions_by_panel: Mapping[str, PanelDecision | None],
    look: Look,
) -> None:
    """Store a row for each panel, unless one from newer data is stored already."""
    insert = dialect_insert(session, FigureDecision.__table__)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["runner_id", "panel"],
            set_={name: insert.excluded[name] for name in ("data_version", "sealed")},
            where=FigureDecision.data_version <= insert.excluded.data_version,
        ),
        [
            {
                "runner_id": runner_id,
                "panel": panel,
                "data_version": look.data_version,
                "sealed": vault.seal(
                    {"local_day": look.local_day} | _build_content(decision),
                    SealedColumn.FIGURE_DECISION,
                ),
            }
            for panel, decision in decisions_by_panel.items()
        ],
    )


def _build_content(decision: PanelDecision | None) -> dict[str, Any]:
    if decision is None:
        return {}
    revised_at = decision.revised_at
    return {
        "sentence": decision.outcome.sentence_key,
        "facts": dict(decision.outcome.facts),
        "milestone": decision.milestone,
        "digest": decision.digest,
        "rules": decision.rules_version,
        "decided_at": decision.decided_at.isoformat(),
        "revised_at": None if revised_at is None else revised_at.isoformat(),
    }


def _read_decision(content: Mapping[str, Any]) -> PanelDecision:
    revised_at = content["revised_at"]
    return PanelDecision(
        milestone=content["milestone"],
        digest=content["digest"],
        outcome=Outcome(content["sentence"], content["facts"]),
        decided_at=datetime.fromisoformat(content["decided_at"]),
        revised_at=None if revised_at is None else datetime.fromisoformat(revised_at),
        rules_version=content["rules"],
    )


def compute_local_day(now: datetime, zone: ZoneInfo) -> int:
    return now.astimezone(zone).toordinal()
