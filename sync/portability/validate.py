"""Read an export's ZIP into checked rows that fit together."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import available_timezones

from pydantic import ValidationError

from sync.portability.archive import ExportArchive, InvalidExport, open_archive
from sync.portability.rows import MAX_ROW_BYTES, split_rows
from sync.portability.schema import (
    AccountRecord,
    AnswerRecord,
    ConsentRecord,
    DecisionRecord,
    DelayRecord,
    DrawRecord,
    ExportRecord,
    MailRecord,
    NoteRecord,
    RunRecord,
    SurveyRecord,
)
from sync.preferences import Preferences
from sync.runners.retained_runs import RetainedFacts, without_retained
from sync.surveys.instruments import InstrumentLibrary
from sync.vocabulary import AnswerKind, ConsentKind

RecordT = TypeVar("RecordT", bound=ExportRecord)
_MAX_UNKNOWN_VALUE = 1000
# Between this machine's clock and that of the instance which wrote the file.
_MAX_CLOCK_GAP = timedelta(days=1)
# When something happened, and not when something is to happen.
_PAST_COLUMNS = (
    "answered_at",
    "changed_at",
    "created_at",
    "decided_at",
    "drawn_at",
    "fetched_at",
    "first_seen_at",
    "given_at",
    "hidden_at",
    "opened_at",
    "sent_at",
    "skipped_at",
    "undecided_since",
    "withdrawn_at",
    "written_at",
)
# What there is one of.
_UNIQUE_COLUMNS = (
    *((name, ("id",)) for name in ("runs", "surveys", "answers", "delays")),
    *((name, ("id",)) for name in ("mails", "consents")),
    *((name, ("run_id",)) for name in ("surveys", "answers", "decisions", "delays")),
    *((name, ("pairing_key",)) for name in ("surveys", "answers", "delays")),
    ("answers", ("survey_id",)),
    ("notes", ("answer_id",)),
    ("runs", ("source", "source_id")),
    ("draws", ("local_day",)),
)
# Which column names a row of which table.
_REFERENCES = {
    "run_id": "runs",
    "duplicate_of": "runs",
    "survey_id": "surveys",
    "answer_id": "answers",
}


@dataclass(frozen=True, slots=True)
class ExportBundle:
    """The rows of an export, each reference checked."""

    account: AccountRecord
    runs: list[RunRecord]
    surveys: list[SurveyRecord]
    answers: list[AnswerRecord]
    notes: list[NoteRecord]
    decisions: list[DecisionRecord]
    draws: list[DrawRecord]
    delays: list[DelayRecord]
    mails: list[MailRecord]
    consents: list[ConsentRecord]


def read_bundle(path: Path, library: InstrumentLibrary) -> ExportBundle:
    """Return the content of the ZIP, or raise `InvalidExport` with one sentence."""
    with open_archive(path) as files:
        bundle = ExportBundle(
            account=_parse_account(files),
            runs=_parse_rows(files, "runs", RunRecord),
            surveys=_parse_rows(files, "surveys", SurveyRecord),
            answers=_parse_rows(files, "answers", AnswerRecord),
            notes=_parse_later_rows(files, "notes", NoteRecord),
            decisions=_parse_rows(files, "decisions", DecisionRecord),
            draws=_parse_rows(files, "draws", DrawRecord),
            delays=_parse_later_rows(files, "delays", DelayRecord),
            mails=_parse_rows(files, "mails", MailRecord),
            consents=_parse_rows(files, "consents", ConsentRecord),
        )
    check_unique(bundle)
    check_references(bundle)
    for row_number, answer in enumerate(bundle.answers, 1):
        check_answer(answer, row_number, library)
    return bundle


def _parse_rows(files: ExportArchive, name: str, kind: type[RecordT]) -> list[RecordT]:
    file_name, records = f"{name}.json", []
    for row_number, row in enumerate(split_rows(file_name, files.read(file_name)), 1):
        # pydantic's own JSON reading: strict about types, and dates as text are dates.
        try:
            records.append(kind.model_validate_json(row, strict=True))
        except ValidationError as error:
            place = f"{file_name}, row {row_number}"
            raise InvalidExport(_error_sentence(place, error)) from None
    return records


def _parse_later_rows(
    files: ExportArchive, name: str, kind: type[RecordT]
) -> list[RecordT]:
    """Return the rows of a table that exports of earlier versions do not have."""
    return _parse_rows(files, name, kind) if f"{name}.json" in files.names else []


def _parse_account(files: ExportArchive) -> AccountRecord:
    text = files.read("account.json")
    if len(text) > MAX_ROW_BYTES:
        raise InvalidExport("account.json is larger than an account can be.")
    try:
        account = AccountRecord.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise InvalidExport(_error_sentence("account.json", error)) from None
    if account.zone not in available_timezones():
        raise InvalidExport("account.json, zone: there is no such time zone.")
    try:
        Preferences.from_export(account.preferences)
    except ValueError:
        raise InvalidExport(
            "account.json, preferences: they are none of ours."
        ) from None
    return account


def _error_sentence(place: str, validation_error: ValidationError) -> str:
    """Return the place and the kind of the first error, without its value."""
    error, location = validation_error.errors(include_input=False)[0], [place]
    if error["type"] != "extra_forbidden":
        location += [part for part in map(str, error["loc"]) if part.isidentifier()]
    problem = {
        "extra_forbidden": "there is a column that we do not know",
        "json_invalid": "it is not JSON as an export has it",
    }.get(error["type"], error["msg"].removeprefix("Value error, "))
    return f"{', '.join(location)}: {problem[:1].lower()}{problem[1:]}."


def check_unique(bundle: ExportBundle) -> None:
    """Raise `InvalidExport` if a key of a table occurs twice."""
    for name, columns in _UNIQUE_COLUMNS:
        keys = [
            tuple(getattr(row, column) for column in columns)
            for row in getattr(bundle, name)
        ]
        present_keys = [key for key in keys if key != (None,)]
        if len(set(present_keys)) < len(present_keys):
            raise InvalidExport(f"{name}.json holds the same thing twice.")


def check_times(bundle: ExportBundle, *, now: datetime) -> None:
    """Raise `InvalidExport` if anything happened later than tomorrow.

    The start of a run is what its recorder says, and not looked at here.
    """
    latest = now + _MAX_CLOCK_GAP
    if bundle.account.created_at > latest:
        raise InvalidExport("account.json, created_at: it is still to come.")
    for field in fields(ExportBundle)[1:]:
        for row_number, row in enumerate(getattr(bundle, field.name), 1):
            for column in _PAST_COLUMNS:
                moment = getattr(row, column, None)
                if moment is not None and moment > latest:
                    raise InvalidExport(
                        f"{field.name}.json, row {row_number}, {column}: it is still "
                        "to come."
                    )


def require_consents(records: Sequence[ConsentRecord]) -> None:
    """Raise `InvalidExport` unless a runner agreed to what each of ours agrees to.

    Who agreed to nothing elsewhere would never be asked to agree here.
    """
    standing_kinds = {record.kind for record in records if record.withdrawn_at is None}
    kinds = {record.kind for record in records}
    if ConsentKind.ADULT not in standing_kinds or ConsentKind.MOOD not in kinds:
        raise InvalidExport("consents.json: its runner agreed to nothing.")


def check_references(bundle: ExportBundle) -> None:
    """Raise `InvalidExport` if a row names another that is not in the file."""
    ids_by_table = {
        name: {row.id for row in getattr(bundle, name)}
        for name in ("runs", "surveys", "answers")
    }
    for field in fields(ExportBundle)[1:]:
        for row_number, row in enumerate(getattr(bundle, field.name), 1):
            # The figures count doubles by these two tags.
            tags: dict[str, Any] = getattr(row, "tags", {})
            earlier, sessions = tags.get("earlier_runs", []), tags.get("sessions", 1)
            if (
                not isinstance(earlier, list)
                or any(type(run) is not int for run in earlier)
                or type(sessions) is not int
            ):
                raise InvalidExport(
                    f"{field.name}.json, row {row_number}, tags: they are none of ours."
                )
            for column, table in _REFERENCES.items():
                reference = getattr(row, column, None)
                if reference is not None and reference not in ids_by_table[table]:
                    raise InvalidExport(
                        f"{field.name}.json, row {row_number}, {column}: it names "
                        "something that is not in the file."
                    )


def check_answer(
    answer: AnswerRecord, row_number: int, library: InstrumentLibrary
) -> None:
    """Raise `InvalidExport` for values that no question offers.

    Values of unknown questions pass, within a bound.
    """
    choices = {
        question.key: question.choices
        for instrument in library.instruments.values()
        for question in instrument.questions
    }
    own_keys = answer.said.keys() - without_retained(answer.said).keys()
    invalid_keys = [
        key
        for key, value in answer.said.items()
        if key not in own_keys
        and (
            value not in choices[key]
            if key in choices
            else abs(value) > _MAX_UNKNOWN_VALUE
        )
    ]
    if invalid_keys or (
        answer.kind != AnswerKind.WELLBEING and "mood" not in answer.said
    ):
        raise InvalidExport(f"answers.json, row {row_number}: it is no answer of ours.")
    try:
        facts = RetainedFacts.from_answer(answer.said)
    except (ValueError, OverflowError):
        facts, own_keys = None, {"own"}
    is_plausible = facts is not None and facts.is_plausible
    if own_keys and not is_plausible:
        raise InvalidExport(f"answers.json, row {row_number}: its own log cannot be.")
