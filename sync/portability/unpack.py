"""Store the checked rows of an export: with new numbers and without duplicates."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from sync.crypto import Vault, hash_token, new_token
from sync.models import (
    Answer,
    AnswerNote,
    CheckinDraw,
    Consent,
    Decision,
    DelayDraw,
    Mail,
    Run,
    Survey,
)
from sync.portability.bulk_insert import insert_missing, insert_rows, split_batches
from sync.portability.schema import (
    MAX_ANSWER_BYTES,
    AnswerRecord,
    ConsentRecord,
    DecisionRecord,
    DelayRecord,
    DrawRecord,
    MailRecord,
    NoteRecord,
    RunRecord,
    SurveyRecord,
)
from sync.runners import retained_runs
from sync.surveys.answering.own_notes import encode_note
from sync.surveys.instruments import InstrumentLibrary
from sync.vocabulary import RunSource, SealedColumn, SuppressionReason

DedupeKey = tuple[str, Any]
_EARLIER = "earlier_runs"
# What follows from the others is judged anew, and never believed of a file.
_JUDGED_COLUMNS = (
    "clock_ahead",
    "implausible",
    "trusted_moving_s",
    "trusted_elapsed_s",
)


class RowImporter:
    """Imports one runner's rows, table by table.

    `run_ids`, `survey_ids` and `answer_ids` map the numbers in the file to the numbers
    here: runs come first, then surveys, then answers, then all others.
    """

    def __init__(
        self,
        session: Session,
        runner_id: int,
        vault: Vault,
        library: InstrumentLibrary,
    ) -> None:
        self._session = session
        self._runner_id = runner_id
        self._vault = vault
        self._library = library
        self._known_keys = library.known_keys
        self.run_ids: Mapping[int, int] = {}
        self.survey_ids: Mapping[int, int] = {}
        self.answer_ids: Mapping[int, int] = {}

    def import_runs(self, records: Sequence[RunRecord]) -> None:
        """Store the runs that are not here; the others stay as they are."""
        existing = self._find_existing_runs(records)
        new_runs = [
            run for run in records if (run.source, run.source_id) not in existing
        ]
        insert_rows(
            self._session,
            Run,
            [
                run.values("id", "duplicate_of", *_JUDGED_COLUMNS)
                | {
                    "runner_id": self._runner_id,
                    "from_file": True,
                    "first_seen_at": run.first_seen_at or run.fetched_at,
                }
                for run in new_runs
            ],
        )
        existing = self._find_existing_runs(records)
        self.run_ids = {run.id: existing[run.source, run.source_id] for run in records}
        for run in new_runs:
            if run.duplicate_of is not None:
                self._session.execute(
                    update(Run)
                    .where(
                        Run.runner_id == self._runner_id,
                        Run.id == self.run_ids[run.id],
                    )
                    .values(duplicate_of=self.run_ids[run.duplicate_of])
                )

    def import_surveys(self, records: Sequence[SurveyRecord]) -> None:
        """Store the surveys that are not here, with tokens that no mail contains."""
        columns = (Survey.id, Survey.run_id, Survey.pairing_key, Survey.kind)
        rows = self._session.execute(
            select(*columns, Survey.created_at).where(
                Survey.runner_id == self._runner_id
            )
        )
        existing = {
            key: row.id
            for row in rows
            for key in _dedupe_keys(row, row.created_at, run=row.run_id)
        }
        ids_by_key = self._load_run_ids_by_key()
        survey_ids: dict[int, int] = {}
        new_rows: dict[str, dict[str, Any]] = {}
        record_ids: dict[str, int] = {}
        for record in records:
            run_id = self._find_run_id(record, ids_by_key)
            keys = _dedupe_keys(record, record.created_at, run=run_id)
            known_id = next((existing[key] for key in keys if key in existing), None)
            if known_id is not None:
                survey_ids[record.id] = known_id
                continue
            token_hash = hash_token(new_token())
            record_ids[token_hash] = record.id
            new_rows[token_hash] = record.values("id") | {
                "runner_id": self._runner_id,
                "token_hash": token_hash,
                "run_id": run_id,
                "tags": self._renumber_tags(record.tags),
            }
        insert_rows(self._session, Survey, list(new_rows.values()))
        for batch in split_batches(list(new_rows)):
            stored = self._session.execute(
                select(Survey.id, Survey.token_hash).where(
                    Survey.runner_id == self._runner_id, Survey.token_hash.in_(batch)
                )
            )
            survey_ids |= {record_ids[row.token_hash]: row.id for row in stored}
        self.survey_ids = survey_ids

    def import_answers(self, records: Sequence[AnswerRecord]) -> int:
        """Store the answers that are not here, sealed anew; return their number."""
        existing = self._load_answer_ids()
        ids_by_key = self._load_run_ids_by_key()
        new_rows = []
        keys_by_record: dict[int, list[DedupeKey]] = {}
        for record in records:
            run_id = self._find_run_id(record, ids_by_key)
            survey_id = self._find_survey_id(record)
            keys = keys_by_record[record.id] = _dedupe_keys(
                record, record.answered_at, run=run_id, survey=survey_id
            )
            if existing.keys().isdisjoint(keys):
                new_rows.append(
                    record.values("id", "said")
                    | {
                        "runner_id": self._runner_id,
                        "run_id": run_id,
                        "survey_id": survey_id,
                        "tags": self._renumber_tags(record.tags),
                        "sealed": self._vault.seal(
                            record.said, min_bytes=self._get_answer_bytes(record)
                        ),
                    }
                )
        insert_rows(self._session, Answer, new_rows)
        stored = self._load_answer_ids()
        self.answer_ids = {
            record_id: next(stored[key] for key in keys if key in stored)
            for record_id, keys in keys_by_record.items()
        }
        return len(new_rows)

    def import_notes(self, records: Iterable[NoteRecord]) -> None:
        """Store the lines beside answers that have none here, sealed anew."""
        insert_missing(
            self._session,
            AnswerNote,
            [
                {
                    "answer_id": self.answer_ids[record.answer_id],
                    "runner_id": self._runner_id,
                    "written_at": record.written_at,
                    "sealed": self._vault.seal(
                        encode_note(record.said.note), SealedColumn.ANSWER_NOTE
                    ),
                }
                for record in records
            ],
        )

    def import_decisions(self, records: Iterable[DecisionRecord]) -> None:
        insert_missing(
            self._session,
            Decision,
            [
                record.values()
                | {"run_id": self.run_ids[record.run_id], "runner_id": self._runner_id}
                for record in records
            ],
        )

    def import_draws(self, records: Iterable[DrawRecord]) -> None:
        insert_missing(
            self._session,
            CheckinDraw,
            [
                record.values()
                | {
                    "runner_id": self._runner_id,
                    "survey_id": self._find_survey_id(record),
                }
                for record in records
            ],
        )

    def import_delays(self, records: Sequence[DelayRecord]) -> None:
        """Store the delays that were drawn for runs that have none here."""
        rows = self._session.execute(
            select(DelayDraw.run_id, DelayDraw.pairing_key).where(
                DelayDraw.runner_id == self._runner_id
            )
        ).all()
        drawn_run_ids = {row.run_id for row in rows}
        drawn_keys = {row.pairing_key for row in rows}
        ids_by_key = self._load_run_ids_by_key()
        new_rows = []
        for record in records:
            run_id = self._find_run_id(record, ids_by_key)
            is_drawn = run_id is not None and run_id in drawn_run_ids
            if not is_drawn and record.pairing_key not in drawn_keys:
                drawn_run_ids.add(run_id)
                new_rows.append(
                    record.values("id")
                    | {"runner_id": self._runner_id, "run_id": run_id}
                )
        insert_rows(self._session, DelayDraw, new_rows)

    def import_mails(self, records: Iterable[MailRecord]) -> None:
        """Store the mails of the past; one that was still due is suppressed."""
        imported = SuppressionReason.IMPORTED
        insert_missing(
            self._session,
            Mail,
            [
                record.values("id", "due_at")
                | {
                    "runner_id": self._runner_id,
                    "survey_id": self._find_survey_id(record),
                    "dedupe_key": f"{imported}:{self._runner_id}:"
                    f"{record.message_id}:{record.kind}",
                    "withheld_for": imported if record.due_at else record.withheld_for,
                }
                for record in records
            ],
        )

    def import_consents(self, records: Iterable[ConsentRecord]) -> None:
        """Store what was agreed to elsewhere; here it is asked about anew."""
        insert_rows(
            self._session,
            Consent,
            [
                record.values("id") | {"runner_id": self._runner_id, "from_file": True}
                for record in records
            ],
        )

    def _load_answer_ids(self) -> dict[DedupeKey, int]:
        """Return the runner's answers by each key that tells them apart."""
        rows = self._session.execute(
            select(
                Answer.id,
                Answer.run_id,
                Answer.survey_id,
                Answer.pairing_key,
                Answer.kind,
                Answer.answered_at,
            ).where(Answer.runner_id == self._runner_id)
        )
        return {
            key: row.id
            for row in rows
            for key in _dedupe_keys(
                row, row.answered_at, run=row.run_id, survey=row.survey_id
            )
        }

    def _find_existing_runs(
        self, records: Sequence[RunRecord]
    ) -> dict[tuple[RunSource, int], int]:
        # A retained run counts as here if Strava's own run is.
        existing = {
            (retained_runs.HAND, retained_runs.retained_source_id(key)): run_id
            for key, run_id in self._load_run_ids_by_key().items()
        }
        for batch in split_batches([(run.source, run.source_id) for run in records]):
            rows = self._session.execute(
                select(Run.id, Run.source, Run.source_id).where(
                    Run.runner_id == self._runner_id,
                    tuple_(Run.source, Run.source_id).in_(batch),
                )
            )
            existing |= {(row.source, row.source_id): row.id for row in rows}
        return existing

    def _load_run_ids_by_key(self) -> dict[str, int]:
        """Return the runner's runs by their pairing keys."""
        rows = self._session.execute(
            select(Run.id, Run.source, Run.source_id).where(
                Run.runner_id == self._runner_id
            )
        )
        return {
            self._vault.pairing_key(row.source, row.source_id): row.id for row in rows
        }

    def _find_run_id(
        self,
        record: SurveyRecord | AnswerRecord | DelayRecord,
        ids_by_key: Mapping[str, int],
    ) -> int | None:
        """Return the run that a row is about, if it is here."""
        if record.run_id is not None:
            return self.run_ids[record.run_id]
        return ids_by_key.get(record.pairing_key or "")

    def _find_survey_id(
        self, record: AnswerRecord | DrawRecord | MailRecord
    ) -> int | None:
        if record.survey_id is None:
            return None
        return self.survey_ids[record.survey_id]

    def _get_answer_bytes(self, record: AnswerRecord) -> int:
        """Return the length of a sealed answer, the same for all of unknown questions.

        Questions that only another host has may be many.
        """
        if self._known_keys.issuperset(retained_runs.without_retained(record.said)):
            return self._library.answer_bytes
        return MAX_ANSWER_BYTES

    def _renumber_tags(self, tags: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the runs' numbers in the tags by the numbers here."""
        if _EARLIER not in tags:
            return dict(tags)
        earlier = [
            self.run_ids[run_id] for run_id in tags[_EARLIER] if run_id in self.run_ids
        ]
        return {**tags, _EARLIER: earlier}


def _dedupe_keys(row: Any, at: datetime, **ids: int | None) -> list[DedupeKey]:
    """Return the keys by which a survey or an answer is recognized as present."""
    keys = [*ids.items(), ("key", row.pairing_key), (row.kind, at)]
    return [key for key in keys if key[1] is not None]
