"""Checked rows into the tables: new numbers, nothing twice, nothing of others'."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from sync.crypto import Vault, hash_token, new_token, pairing_key
from sync.models import (
    Answer,
    CheckinDraw,
    Consent,
    Decision,
    Mail,
    Run,
    Survey,
)
from sync.portability.archive import InvalidExport
from sync.portability.bulk_insert import insert_missing, insert_rows, split_batches
from sync.portability.schema import (
    AnswerRecord,
    ConsentRecord,
    DecisionRecord,
    DrawRecord,
    MailRecord,
    RunRecord,
    SurveyRecord,
)
from sync.runners import retained_runs
from sync.vocabulary import RunSource, SuppressionReason

DedupeKey = tuple[str, Any]
IdMap = Mapping[int, int]  # a number in the file: the number it has here
_EARLIER = "earlier_runs"
_IMPORTED_REASON = SuppressionReason.IMPORTED


def import_runs(
    session: Session, runner_id: int, records: Sequence[RunRecord]
) -> IdMap:
    """Store the runs that are not here; those that are stay as they are."""
    existing = _find_existing_runs(session, runner_id, records)
    new_runs = [run for run in records if (run.source, run.source_id) not in existing]
    insert_rows(
        session,
        Run,
        [
            run.values("id", "duplicate_of") | {"runner_id": runner_id}
            for run in new_runs
        ],
    )
    existing = _find_existing_runs(session, runner_id, records)
    run_ids = {run.id: existing[run.source, run.source_id] for run in records}
    for run in new_runs:
        if run.duplicate_of is not None:
            session.execute(
                update(Run)
                .where(Run.id == run_ids[run.id])
                .values(duplicate_of=run_ids[run.duplicate_of])
            )
    return run_ids


def _find_existing_runs(
    session: Session, runner_id: int, records: Sequence[RunRecord]
) -> dict[tuple[RunSource, int], int]:
    # What stands in for a run is here when Strava's own is.
    ids_by_key = _load_ids_by_key(session, runner_id).items()
    existing = {
        (retained_runs.HAND, retained_runs.retained_source_id(key)): run_id
        for key, run_id in ids_by_key
    }
    for batch in split_batches([(run.source, run.source_id) for run in records]):
        rows = session.execute(
            select(Run.id, Run.source, Run.source_id, Run.runner_id).where(
                tuple_(Run.source, Run.source_id).in_(batch)
            )
        )
        for row in rows:
            if row.runner_id != runner_id:
                raise InvalidExport("Some of its runs are another runner's here.")
            existing[row.source, row.source_id] = row.id
    return existing


def import_surveys(
    session: Session,
    runner_id: int,
    records: Sequence[SurveyRecord],
    run_ids: IdMap,
) -> IdMap:
    """Store what was asked; the links in its mails open nothing any more."""
    ids_by_key, existing = (
        _load_ids_by_key(session, runner_id),
        _find_existing_surveys(session, runner_id),
    )
    survey_ids, new_by_token = {}, {}
    for record in records:
        run_id = _find_run_id(record, run_ids, ids_by_key)
        keys = _dedupe_keys(record, record.created_at, run=run_id)
        known_id = next((existing[key] for key in keys if key in existing), None)
        if known_id is not None:
            survey_ids[record.id] = known_id
            continue
        new_by_token[hash_token(new_token())] = record, run_id
    insert_rows(
        session,
        Survey,
        [
            record.values("id")
            | {"runner_id": runner_id, "token_hash": token, "run_id": run_id}
            | {"tags": _renumber_tags(record.tags, run_ids)}
            for token, (record, run_id) in new_by_token.items()
        ],
    )
    for batch in split_batches(list(new_by_token)):
        stored = session.execute(
            select(Survey.id, Survey.token_hash).where(Survey.token_hash.in_(batch))
        )
        survey_ids |= {new_by_token[row.token_hash][0].id: row.id for row in stored}
    return survey_ids


def _find_existing_surveys(session: Session, runner_id: int) -> dict[DedupeKey, int]:
    columns = (
        Survey.id,
        Survey.run_id,
        Survey.pairing_key,
        Survey.kind,
        Survey.created_at,
    )
    rows = session.execute(select(*columns).where(Survey.runner_id == runner_id))
    return {
        key: row.id
        for row in rows
        for key in _dedupe_keys(row, row.created_at, run=row.run_id)
    }


def import_answers(
    session: Session,
    owner: tuple[int, Vault],
    records: Sequence[AnswerRecord],
    run_ids: IdMap,
    *,
    survey_ids: IdMap,
) -> int:
    """Store the answers that are not here, sealed anew; return how many."""
    runner_id, vault = owner
    ids_by_key, existing_keys = (
        _load_ids_by_key(session, runner_id),
        _find_existing_answers(session, runner_id),
    )
    new_rows = []
    for record in records:
        run_id = _find_run_id(record, run_ids, ids_by_key)
        survey_id = survey_ids.get(record.survey_id) if record.survey_id else None
        keys = _dedupe_keys(record, record.answered_at, run=run_id, survey=survey_id)
        if existing_keys.isdisjoint(keys):
            new_rows.append(
                record.values("id", "said")
                | {"runner_id": runner_id, "run_id": run_id, "survey_id": survey_id}
                | {"tags": _renumber_tags(record.tags, run_ids)}
                | {"sealed": vault.seal(record.said)}
            )
    insert_rows(session, Answer, new_rows)
    return len(new_rows)


def _find_existing_answers(session: Session, runner_id: int) -> set[DedupeKey]:
    rows = session.execute(
        select(
            Answer.run_id,
            Answer.survey_id,
            Answer.pairing_key,
            Answer.kind,
            Answer.answered_at,
        ).where(Answer.runner_id == runner_id)
    )
    return {
        key
        for row in rows
        for key in _dedupe_keys(
            row, row.answered_at, run=row.run_id, survey=row.survey_id
        )
    }


def _dedupe_keys(row: Any, at: datetime, **ids: int | None) -> list[DedupeKey]:
    """Return by what a survey or an answer is known to be here already."""
    keys = [*ids.items(), ("key", row.pairing_key), (row.kind, at)]
    return [key for key in keys if key[1] is not None]


def import_decisions(
    session: Session,
    runner_id: int,
    records: Iterable[DecisionRecord],
    run_ids: IdMap,
) -> None:
    insert_missing(
        session,
        Decision,
        [
            record.values() | {"run_id": run_ids[record.run_id], "runner_id": runner_id}
            for record in records
        ],
    )


def import_draws(
    session: Session, runner_id: int, records: Iterable[DrawRecord], survey_ids: IdMap
) -> None:
    insert_missing(
        session,
        CheckinDraw,
        [
            record.values()
            | {
                "runner_id": runner_id,
                "survey_id": survey_ids.get(record.survey_id or -1),
            }
            for record in records
        ],
    )


def import_mails(
    session: Session, runner_id: int, records: Iterable[MailRecord], survey_ids: IdMap
) -> None:
    """Remember what was mailed; what had not left never leaves from here."""
    insert_missing(
        session,
        Mail,
        [
            record.values("id", "due_at")
            | {
                "runner_id": runner_id,
                "survey_id": survey_ids.get(record.survey_id or -1),
            }
            | {
                "dedupe_key": f"{_IMPORTED_REASON}:{runner_id}:"
                f"{record.message_id}:{record.kind}"
            }
            | {
                "withheld_for": _IMPORTED_REASON
                if record.due_at
                else record.withheld_for
            }
            for record in records
        ],
    )


def import_consents(
    session: Session, runner_id: int, records: Iterable[ConsentRecord]
) -> None:
    rows = [record.values("id") | {"runner_id": runner_id} for record in records]
    insert_rows(session, Consent, rows)


def _load_ids_by_key(session: Session, runner_id: int) -> dict[str, int]:
    """Return the runner's runs by what pairs answers with them."""
    rows = session.execute(
        select(Run.id, Run.source, Run.source_id).where(Run.runner_id == runner_id)
    )
    return {pairing_key(row.source, row.source_id): row.id for row in rows}


def _find_run_id(
    record: SurveyRecord | AnswerRecord, run_ids: IdMap, ids_by_key: Mapping[str, int]
) -> int | None:
    """Return the run that a survey or an answer is about, if it is here."""
    if record.run_id is not None:
        return run_ids[record.run_id]
    return ids_by_key.get(record.pairing_key or "")


def _renumber_tags(tags: Mapping[str, Any], run_ids: IdMap) -> dict[str, Any]:
    """Let tags name the runs as they are numbered here."""
    if _EARLIER not in tags:
        return dict(tags)
    earlier = [run_ids[run_id] for run_id in tags[_EARLIER] if run_id in run_ids]
    return {**tags, _EARLIER: earlier}
