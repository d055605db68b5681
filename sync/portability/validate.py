"""From a ZIP to checked rows that fit together, or one sentence why not."""

import json
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import available_timezones

from pydantic import Field, TypeAdapter, ValidationError

from sync.language import LANGUAGES
from sync.portability import archive
from sync.portability.archive import NotAnExport
from sync.portability.schema import (
    MOST_ROWS,
    Account,
    AnswerRecord,
    ConsentRecord,
    DecisionRecord,
    DrawRecord,
    MailRecord,
    Record,
    RunRecord,
    SurveyRecord,
)
from sync.preferences import WAITING, Preferences
from sync.runners.retained_runs import OwnFacts, without
from sync.surveys.instruments import Library

Row = TypeVar("Row", bound=Record)
_ASK = {"every-run", "every-other-run", "weekly", "long-runs", "never", WAITING}
_ODD = 1000
# What there is one of.
_ONCE = (
    *((name, ("id",)) for name in ("runs", "surveys", "answers", "mails", "consents")),
    *((name, ("run_id",)) for name in ("surveys", "answers", "decisions")),
    *((name, ("pairing_key",)) for name in ("surveys", "answers")),
    ("answers", ("survey_id",)),
    ("runs", ("source", "source_id")),
    ("draws", ("local_day",)),
)
# Which column names a row of which table.
_NAMES = {"run_id": "runs", "duplicate_of": "runs", "survey_id": "surveys"}


@dataclass(frozen=True, slots=True)
class Luggage:
    """Everything that comes along, each reference checked."""

    account: Account
    runs: list[RunRecord]
    surveys: list[SurveyRecord]
    answers: list[AnswerRecord]
    decisions: list[DecisionRecord]
    draws: list[DrawRecord]
    mails: list[MailRecord]
    consents: list[ConsentRecord]


def read(path: Path, library: Library) -> Luggage:
    """Return what the ZIP holds, or raise `NotAnExport` with one sentence."""
    tables = {field.name for field in fields(Luggage)} - {"account"}
    files = archive.read(
        path, {"account.json": True} | {f"{name}.json": True for name in tables}
    )
    luggage = Luggage(
        account=_account(files["account.json"]),
        runs=_rows(files, "runs", RunRecord),
        surveys=_rows(files, "surveys", SurveyRecord),
        answers=_rows(files, "answers", AnswerRecord),
        decisions=_rows(files, "decisions", DecisionRecord),
        draws=_rows(files, "draws", DrawRecord),
        mails=_rows(files, "mails", MailRecord),
        consents=_rows(files, "consents", ConsentRecord),
    )
    _refuse_doubles(luggage)
    _refuse_loose_ends(luggage)
    for number, answer in enumerate(luggage.answers, 1):
        _refuse_odd_answer(answer, number, library)
    return luggage


def _rows(files: dict[str, bytes], name: str, kind: type[Row]) -> list[Row]:
    # pydantic's own JSON reading: strict about types, and dates as text are dates.
    rows: TypeAdapter[list[Row]] = TypeAdapter(
        Annotated[list[kind], Field(max_length=MOST_ROWS)]  # type: ignore[valid-type, arg-type]
    )
    try:
        return rows.validate_json(files[f"{name}.json"], strict=True)
    except ValidationError as error:
        raise NotAnExport(_sentence(f"{name}.json", error)) from None


def _account(text: bytes) -> Account:
    try:
        account = Account.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise NotAnExport(_sentence("account.json", error)) from None
    if account.zone not in available_timezones():
        raise NotAnExport("account.json, zone: there is no such time zone.")
    _refuse_odd_preferences(account.preferences)
    return account


def _sentence(name: str, failed: ValidationError) -> str:
    """Say where it is wrong, and quote nothing of what is there."""
    error, places = failed.errors()[0], [name]
    for part in error["loc"]:
        if isinstance(part, int):
            places.append(f"row {part + 1}")
        elif part.isidentifier() and error["type"] != "extra_forbidden":
            places.append(part)
    what = {
        "extra_forbidden": "there is a column that we do not know",
        "too_long": f"there are more than {MOST_ROWS:,} rows",
        "json_invalid": "it is not JSON as an export has it",
    }.get(error["type"], error["msg"].removeprefix("Value error, "))
    return f"{', '.join(places)}: {what[:1].lower()}{what[1:]}."


def _refuse_doubles(luggage: Luggage) -> None:
    for name, columns in _ONCE:
        marks = [
            tuple(getattr(row, column) for column in columns)
            for row in getattr(luggage, name)
        ]
        told = [mark for mark in marks if mark != (None,)]
        if len(set(told)) < len(told):
            raise NotAnExport(f"{name}.json holds the same thing twice.")


def _refuse_loose_ends(luggage: Luggage) -> None:
    """Let every row that names another find it in the file."""
    numbers = {
        name: {row.id for row in getattr(luggage, name)} for name in ("runs", "surveys")
    }
    for field in fields(Luggage)[1:]:
        for place, row in enumerate(getattr(luggage, field.name), 1):
            _refuse_odd_tags(field.name, place, getattr(row, "tags", {}))
            for column, table in _NAMES.items():
                named = getattr(row, column, None)
                if named is not None and named not in numbers[table]:
                    raise NotAnExport(
                        f"{field.name}.json, row {place}, {column}: it names "
                        "something that is not in the file."
                    )


def _refuse_odd_tags(name: str, number: int, tags: dict[str, Any]) -> None:
    """Refuse tags that would mislead whoever counts doubles."""
    earlier, sessions = tags.get("earlier_runs", []), tags.get("sessions", 1)
    is_list = isinstance(earlier, list) and all(type(run) is int for run in earlier)
    if not is_list or type(sessions) is not int:
        raise NotAnExport(f"{name}.json, row {number}, tags: they are none of ours.")


def _refuse_odd_answer(answer: AnswerRecord, number: int, library: Library) -> None:
    """Refuse values that no question offers; those of unknown questions stay."""
    choices = {
        question.key: question.choices
        for instrument in library.instruments.values()
        for question in instrument.questions
    }
    own = answer.said.keys() - without(answer.said).keys()
    odd = [
        key
        for key, value in answer.said.items()
        if key not in own
        and (value not in choices[key] if key in choices else abs(value) > _ODD)
    ]
    if odd or (answer.kind != "wellbeing" and "mood" not in answer.said):
        raise NotAnExport(f"answers.json, row {number}: it is no answer of ours.")
    try:
        kept = OwnFacts.said_in(answer.said)
    except (ValueError, OverflowError):
        kept, own = None, {"own"}
    is_plausible = kept is not None and kept.is_plausible
    if own and not is_plausible:
        raise NotAnExport(f"answers.json, row {number}: its own log cannot be.")


def _refuse_odd_preferences(stored: dict[str, Any]) -> None:
    try:
        known = {field.name for field in fields(Preferences)}
        ours = {name: value for name, value in stored.items() if name in known}
        chosen = TypeAdapter(Preferences).validate_json(json.dumps(ours), strict=True)
        _ = chosen.quiet_hours  # two times of day, or ValueError
        moments = (chosen.paused_until, chosen.focus_since, chosen.slowed_at)
        is_ours = (
            chosen.ask in _ASK
            and chosen.units in {"km", "mi"}
            and chosen.week_starts in {"monday", "sunday"}
            and chosen.language in {"", *LANGUAGES}
            and 0 <= chosen.delay_min <= 24 * 60
            and all(datetime.fromisoformat(at).tzinfo for at in moments if at)
            and len(chosen.country) in {0, 2}
            and 0 <= chosen.long_run_m < float("inf")
        )
    except ValueError:  # pydantic's own among them
        is_ours = False
    if not is_ours:
        raise NotAnExport("account.json, preferences: they are none of ours.")
