"""Everything we hold about one runner, in one ZIP file that is theirs to take."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import (
    Answer,
    Backfill,
    CheckinDraw,
    Connection,
    Consent,
    Decision,
    Mail,
    Model,
    Run,
    Runner,
    SignIn,
    Survey,
)
from sync.runtime import Runtime

# Secrets open doors and tell nothing; sealed columns are opened or left out.
_SECRET = {
    "access_token",
    "refresh_token",
    "token_hash",
    "pairing_key",
    "sealed",
    "vault_key",
    "email",
    "email_hash",
    "runner_id",
}
_TABLES: Mapping[str, tuple[type[Model], str]] = {
    "runs": (Run, "your runs, in metres and seconds"),
    "decisions": (Decision, "whether each run was asked about, or why not"),
    "draws": (CheckinDraw, "the days drawn for a check-in, and the odds"),
    "surveys": (Survey, "the questions that were planned or sent"),
    "mails": (Mail, "the mails that were sent, or withheld and why"),
    "consents": (Consent, "what you agreed to, in which text, and when"),
    "connection": (Connection, "your link to Strava, without its keys"),
    "import": (Backfill, "how far the import of your past came"),
    "sign_ins": (SignIn, "the browsers that are signed in"),
}
# A spreadsheet would take a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

README = """Everything that Moodmiles holds about you.

account.json   your account, address and settings
answers.csv    your answers, in your own words' numbers (below)
{tables}
study/         runs and answers side by side, the three headline numbers, and a
               codebook that says what each column means: enough to work them
               out again with any statistics program

Times are UTC.  In answers.csv: mood and before go from -2 (Awful) to 2 (Great);
stress from 0 (not at all) to 4 (very); energy from 0 (drained) to 4 (full of
energy); company is 1 with others, 0 alone.
"""


def pack(
    runtime: Runtime, runner_id: int, *, beside: Mapping[str, str] | None = None
) -> bytes:
    """Return the ZIP, made now from what is stored now, and the files `beside` it."""
    with runtime.db.reading() as session:
        files = {
            f"{name}.csv": _csv(_plain(session, table, runner_id))
            for name, (table, _) in _TABLES.items()
        }
        files["account.json"] = _account(runtime, session, runner_id)
        files["answers.csv"] = _csv(_answers(runtime, session, runner_id))
    listed = "\n".join(f"{f'{n}.csv':<15}{what}" for n, (_, what) in _TABLES.items())
    files["README.txt"] = README.format(tables=listed)
    files |= beside or {}
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(name, files[name])
    return packed.getvalue()


def _plain(
    session: Session, table: type[Model], runner_id: int
) -> list[dict[str, object]]:
    columns = [c for c in table.__table__.columns if c.name not in _SECRET]
    mine = table.__table__.c.runner_id == runner_id
    rows = session.execute(select(*columns).where(mine).order_by(columns[0]))
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's own name


def _answers(
    runtime: Runtime, session: Session, runner_id: int
) -> list[dict[str, object]]:
    vault = runtime.sealer.vault(session.get_one(Runner, runner_id).vault_key)
    sealed = session.execute(
        select(Answer.id, Answer.sealed).where(Answer.runner_id == runner_id)
    )
    said = {row.id: vault.open(row.sealed) for row in sealed}
    keys = sorted({key for values in said.values() for key in values})
    return [
        row | {key: said[row["id"]].get(key) for key in keys}
        for row in _plain(session, Answer, runner_id)
    ]


def _account(runtime: Runtime, session: Session, runner_id: int) -> str:
    runner = session.get_one(Runner, runner_id)
    account = {
        "runner_id": runner.id,
        "strava_athlete_id": runner.athlete_id,
        "created_at": runner.created_at,
        "zone": runner.zone,
        "email": runtime.sealer.open(runner.email) if runner.email else None,
        "email_confirmed_at": runner.email_confirmed_at,
        "preferences": runner.preferences,
    }
    return json.dumps(account, indent=2, default=str)


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    rows = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else ["nothing"])
    writer.writeheader()
    writer.writerows({k: _cell(v) for k, v in row.items()} for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    match value:
        case bool():
            return int(value)
        case datetime() | date():
            return value.isoformat()
        case dict():
            return json.dumps(value, sort_keys=True)
        case str() if value.startswith(_FORMULA):
            return f"'{value}"
        case _:
            return value
