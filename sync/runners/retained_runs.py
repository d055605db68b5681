"""What a runner keeps of a run in their own log, and the row that stands in for it.

Facts from Strava may have to go: too old for this host, deleted or hidden there,
disconnected.  Distance and time that the runner confirmed, rounded, are the
runner's own.  They lie sealed in the answer, and nowhere else while Strava's row
is here; when that goes, a row of `RunSource.HAND` made from them takes its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.orm import Session

from sync.bounds import FIRST_YEAR, LAST_YEAR
from sync.crypto import KeyLost, Sealer
from sync.database import dialect_insert
from sync.models import Answer, Run, Runner, Survey
from sync.vocabulary import RunSource, Visibility

log = structlog.get_logger()

STRAVA, HAND = RunSource.STRAVA, RunSource.HAND
RETAINED_KEYS = ("own_distance_m", "own_moving_s", "own_day", "own_offset_s")
_STEPS_M = {"km": 100.0, "mi": 160.9344}
_ID_DIGITS = 15
_MAX_DISTANCE_M, _MAX_DURATION_S, _DAY_S = 1_000_000, 10**6, 24 * 3600
_TRAIL, _TREADMILL = 1, 2


@dataclass(frozen=True, slots=True)
class RetainedFacts:
    """A run as its runner would write it down: a tenth of a unit, whole minutes."""

    distance_m: int
    moving_s: int
    day: date
    offset_s: int

    @classmethod
    def from_run(cls, run: Run, units: str) -> "RetainedFacts":
        step_m = _STEPS_M.get(units, _STEPS_M["km"])
        return cls(
            distance_m=round(round(run.distance_m / step_m) * step_m),
            moving_s=60 * round(run.trusted_moving_s / 60),
            day=run.local_day,
            offset_s=run.offset_s,
        )

    @classmethod
    def from_answer(cls, answer_values: Mapping[str, int]) -> "RetainedFacts | None":
        if any(key not in answer_values for key in RETAINED_KEYS):
            return None
        distance_m, moving_s, day, offset_s = (
            answer_values[key] for key in RETAINED_KEYS
        )
        return cls(distance_m, moving_s, date.fromordinal(day), offset_s)

    @property
    def is_plausible(self) -> bool:
        """Whether a person could have run this, as far as anybody can tell."""
        limits = (
            (self.distance_m, 0, _MAX_DISTANCE_M),
            (self.moving_s, 0, _MAX_DURATION_S),
            (self.offset_s, -_DAY_S, _DAY_S),
            (self.day.year, FIRST_YEAR, LAST_YEAR),
        )
        return all(low <= value <= high for value, low, high in limits)

    def to_answer_values(self) -> dict[str, int]:
        """Return what the sealed answer holds."""
        values = (self.distance_m, self.moving_s, self.day.toordinal(), self.offset_s)
        return dict(zip(RETAINED_KEYS, values, strict=True))


def without_retained(answer_values: Mapping[str, int]) -> dict[str, int]:
    """Return an answer as if nothing had been kept with it."""
    return {
        key: value for key, value in answer_values.items() if key not in RETAINED_KEYS
    }


def insert_retained(
    session: Session,
    sealer: Sealer,
    runner_id: int,
    run_ids: Sequence[int] | Select[int],
    *,
    now: datetime,
) -> None:
    """Let rows of the runner's own take the place of runs that are about to go."""
    answers = session.scalars(
        select(Answer).where(
            Answer.runner_id == runner_id,
            Answer.run_id.in_(run_ids),
            Answer.pairing_key.is_not(None),
        )
    ).all()
    if not answers:
        return
    vault_key = session.get_one(Runner, runner_id).vault_key
    for answer in answers:
        try:
            answer_values = sealer.open_vault(vault_key).open(answer.sealed)
        except KeyLost:
            log.warning("own log not opened", runner_id=runner_id)
            continue
        facts = RetainedFacts.from_answer(answer_values)
        if facts is not None:
            columns = to_columns(answer, facts, answer_values)
            _replace_run(session, answer, columns, now=now)


def remove_retained(
    session: Session, runner_id: int, pairing_keys: Iterable[str]
) -> None:
    """Remove the stand-ins for runs that are back; their answers are free again."""
    source_ids = [retained_source_id(key) for key in pairing_keys]
    _delete_retained(session, runner_id, Run.source_id.in_(source_ids))


def remove_for_answer(session: Session, answer: Answer) -> None:
    """Remove the row that stands for this answer's run, if one does."""
    _delete_retained(session, answer.runner_id, Run.id == answer.run_id)


def remove_all(session: Session, runner_id: int) -> None:
    _delete_retained(session, runner_id)


def _delete_retained(
    session: Session, runner_id: int, *conditions: ColumnElement[bool]
) -> None:
    is_own = Run.runner_id == runner_id
    run_ids = session.scalars(
        select(Run.id).where(is_own, Run.source == HAND, *conditions)
    ).all()
    for table in (Answer, Survey):
        session.execute(
            update(table)
            .where(table.runner_id == runner_id, table.run_id.in_(run_ids))
            .values(run_id=None)
        )
    session.execute(delete(Run).where(is_own, Run.id.in_(run_ids)))


def _replace_run(
    session: Session, answer: Answer, columns: Mapping[str, Any], *, now: datetime
) -> None:
    restored = {"counted": True, "duplicate_of": None, "hidden_at": None}
    retained_run_id = session.scalar(
        dialect_insert(session, Run)
        .values(**columns, fetched_at=now)
        .on_conflict_do_update(
            index_elements=["runner_id", "source", "source_id"], set_=restored
        )
        .returning(Run.id)
    )
    for table in (Survey, Answer):
        session.execute(
            update(table)
            .where(table.runner_id == answer.runner_id, table.run_id == answer.run_id)
            .values(run_id=retained_run_id)
        )


def to_columns(
    answer: Answer, facts: RetainedFacts, answer_values: Mapping[str, int]
) -> dict[str, Any]:
    """Return the row of a run made of what the runner said, and of nothing else."""
    start_known = answer.minutes_since_end is not None
    midnight = datetime.combine(facts.day, time(), UTC)
    started_at = midnight - timedelta(seconds=facts.offset_s)
    if answer.minutes_since_end is not None:
        ended_at = answer.answered_at - timedelta(minutes=answer.minutes_since_end)
        started_at = ended_at - timedelta(seconds=facts.moving_s)
    return {
        "runner_id": answer.runner_id,
        "source": HAND,
        "source_id": retained_source_id(answer.pairing_key or ""),
        "sport": "TrailRun" if answer_values.get("place") == _TRAIL else "Run",
        "started_at": started_at,
        "start_known": start_known,
        "offset_s": facts.offset_s,
        "local_day": facts.day,
        "distance_m": facts.distance_m,
        "moving_s": facts.moving_s,
        "elapsed_s": facts.moving_s,
        "treadmill": answer_values.get("place") == _TREADMILL,
        "manual": False,
        "race": answer_values.get("race") == 1,
        "with_others": answer_values.get("company") == 1,
        "visibility": Visibility.ONLY_ME,
    }


def retained_source_id(pairing_key: str) -> int:
    """Return a stand-in's number, made of its run's key: one run, one row, anywhere."""
    return int(pairing_key[:_ID_DIGITS], 16)
