"""The tables of an export as plain rows without secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, inspect, select
from sqlalchemy.orm import Session

from sync.crypto import Vault
from sync.models import (
    Answer,
    AnswerNote,
    Backfill,
    CheckinDraw,
    Connection,
    Consent,
    Decision,
    DelayDraw,
    Event,
    Export,
    FigureDecision,
    LinkAttempt,
    Mail,
    MailLink,
    Model,
    QuarantinedRecord,
    ReconcileState,
    Run,
    Runner,
    SignIn,
    Survey,
)
from sync.vocabulary import MailKind, SealedColumn

# Credentials, and keys of ours that say nothing about the runner.
SECRET_COLUMNS = {
    "access_token",
    "refresh_token",
    "token_hash",
    "state_hash",
    "browser_hash",
    "sign_in_hash",
    "dedupe_key",
    "sealed",
    "email",
    "runner_id",
    "athlete_id",
    "from_file",
}
SAID_KEY = "said"
# Whoever asked for an address may not learn that it is another account's.
_SHOWN_MAIL_KINDS = {MailKind.ADDRESS_IN_USE: MailKind.CONFIRM_ADDRESS}


@dataclass(frozen=True, slots=True)
class ExportTable:
    """One table of the ZIP; the rows of a sealed one hold the opened values."""

    model: type[Model]
    about: str
    is_sealed: bool = False


TABLES: Mapping[str, ExportTable] = {
    "runs": ExportTable(Run, "your runs, in metres and seconds"),
    "answers": ExportTable(Answer, "what you said (numbers below)", is_sealed=True),
    "notes": ExportTable(
        AnswerNote, "the lines that you wrote for yourself", is_sealed=True
    ),
    "surveys": ExportTable(Survey, "the questions that were planned or sent"),
    "decisions": ExportTable(Decision, "whether each run was asked about, or why not"),
    "draws": ExportTable(CheckinDraw, "the days drawn for a check-in, and the odds"),
    "delays": ExportTable(
        DelayDraw, "the hours drawn for questions after runs, and the odds"
    ),
    "mails": ExportTable(Mail, "the mails that were sent, or withheld and why"),
    "sentences": ExportTable(
        FigureDecision, "what your dashboard says, until when", is_sealed=True
    ),
    "consents": ExportTable(Consent, "what you agreed to, in which text, and when"),
    "connection": ExportTable(Connection, "your link to Strava, without its keys"),
    "import": ExportTable(Backfill, "how far the import of your past came"),
    "sweep": ExportTable(
        ReconcileState, "when your runs were compared with Strava's list"
    ),
    "set_aside": ExportTable(
        QuarantinedRecord, "records from Strava that could not be read"
    ),
    "events": ExportTable(Event, "what Strava told us lately"),
    "visits": ExportTable(LinkAttempt, "your latest visits to Strava's consent page"),
    "sign_ins": ExportTable(SignIn, "the browsers that are signed in"),
    "links": ExportTable(MailLink, "links that were mailed to you, without their keys"),
    "exports": ExportTable(Export, "the files like this one"),
}


def load_rows(
    session: Session, name: str, runner: Runner, vault: Vault
) -> list[dict[str, Any]]:
    """Return the runner's rows of one table, sealed values opened as `said`."""
    export_table = TABLES[name]
    table: Table = export_table.model.__table__  # type: ignore[assignment]
    is_owned = (
        table.c.athlete_id == runner.athlete_id
        if export_table.model is Event
        else table.c.runner_id == runner.id
    )
    columns = [column for column in table.c if column.name not in SECRET_COLUMNS]
    selected = [*columns, table.c.sealed] if export_table.is_sealed else columns
    result = session.execute(
        select(*selected)
        .where(is_owned)
        .order_by(*inspect(export_table.model).primary_key)
    )
    rows = [dict(row) for row in result.mappings()]
    if export_table.model is Mail:
        for row in rows:
            row["kind"] = _SHOWN_MAIL_KINDS.get(row["kind"], row["kind"])
    if export_table.is_sealed:
        column = SealedColumn(f"{table.name}.sealed")
        opened = vault.open_all([row.pop("sealed") for row in rows], column)
        for row, answer_values in zip(rows, opened, strict=True):
            row[SAID_KEY] = answer_values
    return rows


def flatten_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give each sealed value a column of its own, for a spreadsheet."""
    keys = sorted({key for row in rows for key in row.get(SAID_KEY, {})})
    return [
        {name: value for name, value in row.items() if name != SAID_KEY}
        | {key: row[SAID_KEY].get(key) for key in keys if SAID_KEY in row}
        for row in rows
    ]
