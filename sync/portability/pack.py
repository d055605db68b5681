"""Pack everything that is stored about one runner into one ZIP file."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy.orm import Session

from sync.crypto import Vault
from sync.models import Runner
from sync.portability.tables import TABLES, flatten_rows, load_rows
from sync.runtime import Runtime
from sync.safe_csv import write_csv
from sync.vocabulary import SealedColumn

FORMAT = 1
# The tables, and the study that is made of them.
STEPS = len(TABLES) + 1
_EMPTY_HEADER = "nothing"

README = """Everything that Moodmiles holds about you.

account.json   your account, address and settings, and the secret with which the
               pairing keys of surveys and answers are made of Strava's numbers
{tables}
study/         runs and answers side by side, the three headline numbers, and a
               codebook that says what each column means: enough to work them
               out again with any statistics program

Each table comes twice: as .csv for a spreadsheet (where a text that could be
taken for a formula begins with a ') and as .json, letter by letter.

Times are UTC.  In the answers: mood and before go from -2 (Awful) to 2 (Great);
stress from 0 (not at all) to 4 (very); energy from 0 (drained) to 4 (full of
energy); company is 1 with others, 0 alone; own_distance_m and own_moving_s are
what you kept of a run in your own log.

Another Moodmiles can take this file in: give it to whoever runs it and ask for
`moodmiles runner import`.  Sign-ins and the link to Strava do not come along.
"""


def pack_export(
    runtime: Runtime,
    runner_id: int,
    *,
    after_step: Callable[[int], None] = lambda _done: None,
) -> bytes:
    """Return the ZIP of one moment; call `after_step` after each of the STEPS."""
    buffer = io.BytesIO()
    with (
        runtime.db.read_only() as session,
        ZipFile(buffer, "w", ZIP_DEFLATED) as archive,
    ):
        for done, files in enumerate(_pack_steps(runtime, session, runner_id), 1):
            for name, text in files.items():
                archive.writestr(name, text)
            after_step(done)
    return buffer.getvalue()


def _pack_steps(
    runtime: Runtime, session: Session, runner_id: int
) -> Iterator[Mapping[str, str]]:
    """Yield the files by name, one table at a time."""
    runner = session.get_one(Runner, runner_id)
    vault = runtime.sealer.open_vault(runner.vault_key)
    for name in TABLES:
        rows = load_rows(session, name, runner, vault)
        flat_rows = flatten_rows(rows)
        columns = list(flat_rows[0]) if flat_rows else [_EMPTY_HEADER]
        yield {
            f"{name}.csv": write_csv(columns, (row.values() for row in flat_rows)),
            f"{name}.json": _to_json(rows),
        }
    # numpy takes its time to import: only this step waits for it.
    from sync.portability.study_files import build_study_export  # noqa: PLC0415

    study_files = build_study_export(runtime, session, runner_id)
    table_list = "\n".join(f"{name:<15}{table.about}" for name, table in TABLES.items())
    yield {
        **{f"study/{name}": text for name, text in study_files.items()},
        "account.json": _to_json(_load_account(runtime, runner, vault)),
        "README.txt": README.format(tables=table_list),
    }


def _load_account(runtime: Runtime, runner: Runner, vault: Vault) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "runner_id": runner.id,
        "strava_athlete_id": runner.athlete_id or runner.claimed_athlete_id,
        "created_at": runner.created_at,
        "active_at": runner.active_at,
        "zone": runner.zone,
        "email": runtime.sealer.open(runner.email, SealedColumn.ADDRESS)
        if runner.email
        else None,
        "email_confirmed_at": runner.email_confirmed_at,
        "email_bounced_at": runner.email_bounced_at,
        "preferences": runner.preferences.to_stored(),
        # With it, answers find runs that come back on another instance, too.
        "pairing_secret": vault.pairing_secret,
    }


def _to_json(value: object) -> str:
    return json.dumps(
        value, indent=1, ensure_ascii=False, allow_nan=False, default=_to_iso
    )


def _to_iso(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"an export cannot hold a {type(value).__name__}")
