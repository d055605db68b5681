"""What is held about a runner, table by table, as plain rows without secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, inspect, select
from sqlalchemy.orm import Session

from sync.crypto import Vault
from sync.models import (
    Answer,
    Backfill,
    CheckinDraw,
    Connection,
    Consent,
    Decision,
    Event,
    Export,
    FigureDecision,
    LinkAttempt,
    Mail,
    MailLink,
    Model,
    Run,
    Runner,
    SetAside,
    SignIn,
    Survey,
    Sweep,
)

# What opens doors, or is a key of ours and says nothing about the runner.
SECRET = {
    "access_token",
    "refresh_token",
    "token_hash",
    "state_hash",
    "browser_hash",
    "dedupe_key",
    "sealed",
    "email",
    "runner_id",
    "athlete_id",
}
SAID = "said"


@dataclass(frozen=True, slots=True)
class Held:
    """One table of the ZIP; with `is_sealed` its rows hold what was sealed."""

    model: type[Model]
    about: str
    is_sealed: bool = False


TABLES: Mapping[str, Held] = {
    "runs": Held(Run, "your runs, in metres and seconds"),
    "answers": Held(Answer, "what you said (numbers below)", is_sealed=True),
    "surveys": Held(Survey, "the questions that were planned or sent"),
    "decisions": Held(Decision, "whether each run was asked about, or why not"),
    "draws": Held(CheckinDraw, "the days drawn for a check-in, and the odds"),
    "mails": Held(Mail, "the mails that were sent, or withheld and why"),
    "sentences": Held(
        FigureDecision, "what your dashboard says, until when", is_sealed=True
    ),
    "consents": Held(Consent, "what you agreed to, in which text, and when"),
    "connection": Held(Connection, "your link to Strava, without its keys"),
    "import": Held(Backfill, "how far the import of your past came"),
    "sweep": Held(Sweep, "when your runs were compared with Strava's list"),
    "set_aside": Held(SetAside, "records from Strava that could not be read"),
    "events": Held(Event, "what Strava told us lately"),
    "visits": Held(LinkAttempt, "your latest visits to Strava's consent page"),
    "sign_ins": Held(SignIn, "the browsers that are signed in"),
    "links": Held(MailLink, "links that were mailed to you, without their keys"),
    "exports": Held(Export, "the files like this one"),
}


def rows_of(
    session: Session, name: str, runner: Runner, vault: Vault
) -> list[dict[str, Any]]:
    """Return the runner's rows of one table, those sealed opened as `said`."""
    held = TABLES[name]
    table = held.model.__table__
    columns = [column for column in table.c if column.name not in SECRET]
    wanted = [*columns, table.c.sealed] if held.is_sealed else columns
    found = session.execute(
        select(*wanted)
        .where(_whose(held.model, runner))
        .order_by(*inspect(held.model).primary_key)
    )
    rows = [dict(row) for row in found.mappings()]
    if held.is_sealed:
        opened = vault.open_all([row.pop("sealed") for row in rows])
        for row, said in zip(rows, opened, strict=True):
            row[SAID] = said
    return rows


def flat(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give each thing said a column of its own, as a spreadsheet wants it."""
    keys = sorted({key for row in rows for key in row.get(SAID, {})})
    return [
        {name: value for name, value in row.items() if name != SAID}
        | {key: row[SAID].get(key) for key in keys if SAID in row}
        for row in rows
    ]


def _whose(model: type[Model], runner: Runner) -> ColumnElement[bool]:
    table: Table = model.__table__  # type: ignore[assignment]
    if model is Event:
        return table.c.athlete_id == runner.athlete_id
    return table.c.runner_id == runner.id
