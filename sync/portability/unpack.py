"""Checked rows into the tables: new numbers, nothing twice, nothing of others'."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from sync.crypto import Vault, new_token, pairing_key, token_hash
from sync.models import (
    Answer,
    CheckinDraw,
    Consent,
    Decision,
    Mail,
    Run,
    Survey,
)
from sync.portability.archive import NotAnExport
from sync.portability.bulk_insert import slices, store, store_missing
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

Mark = tuple[str, Any]
Places = Mapping[int, int]  # a number in the file: the number it has here
_EARLIER = "earlier_runs"
_BROUGHT = "brought in"


def runs(session: Session, runner_id: int, records: Sequence[RunRecord]) -> Places:
    """Store the runs that are not here; those that are stay as they are."""
    here = _runs_here(session, runner_id, records)
    fresh = [run for run in records if (run.source, run.source_id) not in here]
    store(
        session,
        Run,
        [run.values("id", "duplicate_of") | {"runner_id": runner_id} for run in fresh],
    )
    here = _runs_here(session, runner_id, records)
    places = {run.id: here[run.source, run.source_id] for run in records}
    for run in fresh:
        if run.duplicate_of is not None:
            session.execute(
                update(Run)
                .where(Run.id == places[run.id])
                .values(duplicate_of=places[run.duplicate_of])
            )
    return places


def _runs_here(
    session: Session, runner_id: int, records: Sequence[RunRecord]
) -> dict[tuple[str, int], int]:
    # What stands in for a run is here when Strava's own is.
    homes = _homes(session, runner_id).items()
    found = {
        (retained_runs.HAND, retained_runs.own_id(key)): run_id for key, run_id in homes
    }
    for some in slices([(run.source, run.source_id) for run in records]):
        rows = session.execute(
            select(Run.id, Run.source, Run.source_id, Run.runner_id).where(
                tuple_(Run.source, Run.source_id).in_(some)
            )
        )
        for row in rows:
            if row.runner_id != runner_id:
                raise NotAnExport("Some of its runs are another runner's here.")
            found[row.source, row.source_id] = row.id
    return found


def surveys(
    session: Session,
    runner_id: int,
    records: Sequence[SurveyRecord],
    places: Places,
) -> Places:
    """Store what was asked; the links in its mails open nothing any more."""
    homes, here = _homes(session, runner_id), _asked_here(session, runner_id)
    asked, fresh = {}, {}
    for record in records:
        run_id = _home(record, places, homes)
        marks = _marks(record, record.created_at, run=run_id)
        known = next((here[mark] for mark in marks if mark in here), None)
        if known is not None:
            asked[record.id] = known
            continue
        fresh[token_hash(new_token())] = record, run_id
    store(
        session,
        Survey,
        [
            record.values("id")
            | {"runner_id": runner_id, "token_hash": token, "run_id": run_id}
            | {"tags": _tags(record.tags, places)}
            for token, (record, run_id) in fresh.items()
        ],
    )
    for some in slices(list(fresh)):
        stored = session.execute(
            select(Survey.id, Survey.token_hash).where(Survey.token_hash.in_(some))
        )
        asked |= {fresh[row.token_hash][0].id: row.id for row in stored}
    return asked


def _asked_here(session: Session, runner_id: int) -> dict[Mark, int]:
    asked = Survey.id, Survey.run_id, Survey.pairing_key, Survey.kind, Survey.created_at
    rows = session.execute(select(*asked).where(Survey.runner_id == runner_id))
    return {
        mark: row.id
        for row in rows
        for mark in _marks(row, row.created_at, run=row.run_id)
    }


def answers(
    session: Session,
    whose: tuple[int, Vault],
    records: Sequence[AnswerRecord],
    places: Places,
    *,
    surveys: Places,
) -> int:
    """Store the answers that are not here, sealed anew; return how many."""
    runner_id, vault = whose
    homes, taken = _homes(session, runner_id), _answered(session, runner_id)
    fresh = []
    for record in records:
        run_id = _home(record, places, homes)
        survey_id = surveys.get(record.survey_id) if record.survey_id else None
        marks = _marks(record, record.answered_at, run=run_id, survey=survey_id)
        if taken.isdisjoint(marks):
            fresh.append(
                record.values("id", "said")
                | {"runner_id": runner_id, "run_id": run_id, "survey_id": survey_id}
                | {"tags": _tags(record.tags, places)}
                | {"sealed": vault.seal(record.said)}
            )
    store(session, Answer, fresh)
    return len(fresh)


def _answered(session: Session, runner_id: int) -> set[Mark]:
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
        mark
        for row in rows
        for mark in _marks(row, row.answered_at, run=row.run_id, survey=row.survey_id)
    }


def _marks(row: Any, at: datetime, **others: int | None) -> list[Mark]:
    """Return by what a survey or an answer is known to be here already."""
    marks = [*others.items(), ("key", row.pairing_key), (row.kind, at)]
    return [mark for mark in marks if mark[1] is not None]


def decisions(
    session: Session,
    runner_id: int,
    records: Iterable[DecisionRecord],
    places: Places,
) -> None:
    store_missing(
        session,
        Decision,
        [
            one.values() | {"run_id": places[one.run_id], "runner_id": runner_id}
            for one in records
        ],
    )


def draws(
    session: Session, runner_id: int, records: Iterable[DrawRecord], asked: Places
) -> None:
    store_missing(
        session,
        CheckinDraw,
        [
            one.values()
            | {"runner_id": runner_id, "survey_id": asked.get(one.survey_id or -1)}
            for one in records
        ],
    )


def mails(
    session: Session, runner_id: int, records: Iterable[MailRecord], asked: Places
) -> None:
    """Remember what was mailed; what had not left never leaves from here."""
    store_missing(
        session,
        Mail,
        [
            one.values("id", "due_at")
            | {"runner_id": runner_id, "survey_id": asked.get(one.survey_id or -1)}
            | {"dedupe_key": f"{_BROUGHT}:{runner_id}:{one.message_id}:{one.kind}"}
            | {"withheld_for": _BROUGHT if one.due_at else one.withheld_for}
            for one in records
        ],
    )


def consents(
    session: Session, runner_id: int, records: Iterable[ConsentRecord]
) -> None:
    rows = [one.values("id") | {"runner_id": runner_id} for one in records]
    store(session, Consent, rows)


def _homes(session: Session, runner_id: int) -> dict[str, int]:
    """Return the runner's runs by what pairs answers with them."""
    rows = session.execute(
        select(Run.id, Run.source, Run.source_id).where(Run.runner_id == runner_id)
    )
    return {pairing_key(row.source, row.source_id): row.id for row in rows}


def _home(
    record: SurveyRecord | AnswerRecord, places: Places, homes: Mapping[str, int]
) -> int | None:
    """Return the run that a survey or an answer is about, if it is here."""
    if record.run_id is not None:
        return places[record.run_id]
    return homes.get(record.pairing_key or "")


def _tags(tags: Mapping[str, Any], places: Places) -> dict[str, Any]:
    """Let tags name the runs as they are numbered here."""
    if _EARLIER not in tags:
        return dict(tags)
    earlier = [places[run] for run in tags[_EARLIER] if run in places]
    return {**tags, _EARLIER: earlier}
