"""`moodmiles keys rotate`: seal every stored secret again, with the newest key.

Put the new key first in MOODMILES_SECRET_KEYS, restart, rotate; then the old
key can go.  A second run changes nothing but the ciphertext.  Answers, sentences
and exports lie under each runner's own key, which moves with the rest; with
`--vaults` each runner gets a new one, and they are sealed again, too.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    ColumnClause,
    Engine,
    column,
    inspect,
    select,
    table,
    tuple_,
    update,
)

from host.check_runtime import open_runtime
from host.configuration import load_effective_settings
from host.errors import ActionRequired
from sync.conflicts import retry_conflicts
from sync.crypto import (
    KeyLost,
    Sealer,
    UnknownSealVersion,
    Vault,
    VaultSecrets,
    is_known_format,
)
from sync.models import (
    Answer,
    AnswerNote,
    Connection,
    Export,
    FigureDecision,
    Mail,
    MailLink,
    Model,
    Runner,
)
from sync.runtime import Runtime, build
from sync.settings import Settings
from sync.vocabulary import SealedColumn

SEALED_COLUMNS: Mapping[type[Model], tuple[str, ...]] = {
    Runner: ("vault_key", "email"),
    Connection: ("access_token", "refresh_token"),
    MailLink: ("email",),
    Mail: ("sealed",),
}
# Under a runner's own key; the number of rows that one transaction takes of each.
VAULT_BATCHES: Mapping[type[Model], int] = {
    Answer: 500,
    AnswerNote: 200,
    FigureDecision: 100,
    Export: 1,
}
_LOCKED_ROWS_WAIT_S = 0.1


def run(arguments: SimpleNamespace) -> int:
    runtime = build(load_effective_settings(arguments))
    try:
        count = rotate_keys(runtime)
        print(f"{count} secrets are sealed with the newest key.")
        if arguments.vaults:
            runner_count = rotate_vaults(runtime)
            print(f"The data of {runner_count} runners are sealed with new keys.")
    finally:
        runtime.db.close()
    return 0


def rotate_keys(runtime: Runtime) -> int:
    """Re-seal every secret and return their number, while the instance is in use.

    Raises `KeyLost` before anything changes if the key of a secret is missing.  What
    is in no format that this release knows stays as it is, and the host is told.
    """
    errors = [
        error for model in SEALED_COLUMNS for error in find_unreadable(runtime, model)
    ]
    unknown_count = sum(isinstance(error, UnknownSealVersion) for error in errors)
    if len(errors) > unknown_count:
        raise KeyLost(
            "Not every secret can be opened, so none was changed: put all former "
            "keys back into MOODMILES_SECRET_KEYS, behind the newest."
        )
    tell_unreadable(unknown_count, "secrets")
    return sum(rotate_table(runtime, model) for model in SEALED_COLUMNS)


def tell_unreadable(count: int, what: str) -> None:
    """Tell the host, in one sentence, what was passed over."""
    if count:
        print(
            f"{count} {what} stay as they are: none of the keys opens them.",
            file=sys.stderr,
        )


def find_unreadable(runtime: Runtime, model: type[Model]) -> Sequence[KeyLost]:
    """Return why, for each row with a secret that no configured key opens."""
    columns = [getattr(model, name) for name in SEALED_COLUMNS[model]]
    with runtime.db.read_only() as session:
        rows = session.execute(select(*columns)).all()
    errors = []
    for row in rows:
        try:
            for name, secret in zip(SEALED_COLUMNS[model], row, strict=True):
                if secret is not None:
                    runtime.sealer.open(secret, find_column(model, name))
        except KeyLost as error:
            errors.append(error)
    return errors


def require_known_keys(
    engine: Engine, sealer: Sealer, key_file: Path | None = None
) -> None:
    """Raise `KeyLost` if secrets are stored, and not one of them can be opened.

    Whoever starts with other keys would seal new data beside what is lost then.  Where
    some can be opened, `check_keys` counts the others.  The tables may be of an earlier
    release, whose seals its migration opens.  `key_file` is where the key is, unless
    it is in the environment.
    """
    openings = (
        _can_open(sealer, value, sealed_column)
        for value, sealed_column in _iterate_sealed(engine)
        if is_known_format(value)
    )
    first = next(openings, True)
    if first or any(openings):
        return
    if key_file is None:
        advice = "put the key that sealed it back into MOODMILES_SECRET_KEYS"
    elif key_file.exists():
        advice = f"restore {key_file}, which holds another key, from a backup"
    else:
        advice = f"restore {key_file}, which is missing, from a backup"
    raise KeyLost(
        "The database holds sealed data, and the key opens none of it: "
        f"{advice}. Without the former key they are lost."
    )


def _iterate_sealed(engine: Engine) -> Iterator[tuple[bytes, SealedColumn]]:
    """Yield all secrets under the host's keys, whatever release made the tables."""
    stored = inspect(engine)
    with engine.connect() as connection:
        for model, names in SEALED_COLUMNS.items():
            table_name = model.__tablename__
            if not stored.has_table(table_name):
                continue
            known_names = {each["name"] for each in stored.get_columns(table_name)}
            for name in known_names.intersection(names):
                sealed: ColumnClause[bytes] = column(name)
                for value in connection.scalars(
                    select(sealed)
                    .select_from(table(table_name))
                    .where(sealed.is_not(None))
                ):
                    yield bytes(value), find_column(model, name)


def _can_open(sealer: Sealer, value: bytes, sealed_column: SealedColumn) -> bool:
    try:
        sealer.open(value, sealed_column)
    except KeyLost:
        return False
    return True


def find_column(model: type[Model], name: str) -> SealedColumn:
    return SealedColumn(f"{model.__tablename__}.{name}")


def check_keys(settings: Settings) -> str:
    """Report whether the configured keys open all stored secrets."""
    with open_runtime(settings) as runtime:
        unreadable = {
            model: len(find_unreadable(runtime, model)) for model in SEALED_COLUMNS
        }
    if unreadable[Runner]:
        raise ActionRequired(
            f"The data of {unreadable[Runner]} runner(s) cannot be opened: put the key "
            "that sealed it back into MOODMILES_SECRET_KEYS. Without it they are lost."
        )
    if sum(unreadable.values()):
        raise ActionRequired(
            f"{sum(unreadable.values())} tokens or mails cannot be opened: put the key "
            "that sealed them back into MOODMILES_SECRET_KEYS."
        )
    return "open everything that is stored"


def rotate_table(runtime: Runtime, model: type[Model]) -> int:
    """Re-seal the secrets of one table and return their number.

    Each row has a transaction of its own: one that locks several rows and a runner's
    that takes the same rows in another order would deadlock.
    """
    (key_column,) = inspect(model).primary_key
    with runtime.db.read_only() as session:
        row_ids = session.scalars(select(key_column).order_by(key_column)).all()
    count = 0
    for row_id in row_ids:
        count += _reseal_row(runtime, model, row_id)
    return count


@retry_conflicts
def _reseal_row(runtime: Runtime, model: type[Model], row_id: Any) -> int:
    count = 0
    with runtime.db.transaction() as session:
        row = session.get(model, row_id, with_for_update=True)
        if row is None:
            return 0
        for name in SEALED_COLUMNS[model]:
            sealed = getattr(row, name)
            if sealed is not None and is_known_format(sealed):
                column = find_column(model, name)
                setattr(row, name, runtime.sealer.reseal(sealed, column))
                count += 1
        # Addresses are found by a hash, which the newest key makes from now on.
        if (
            isinstance(row, Runner)
            and row.email_hash
            and row.email is not None
            and is_known_format(row.email)
        ):
            address = runtime.sealer.open(row.email, SealedColumn.ADDRESS)
            row.email_hash = runtime.sealer.lookup_hashes(address)[0]
    return count


def rotate_vaults(runtime: Runtime) -> int:
    """Give each runner a new key, seal their data with it; return how many runners.

    It may be stopped at any time and run while the instance is in use.  A runner's
    secrets keep the key before until nothing is under it: what is not done yet still
    opens, and the next time finishes it.  What no key opens stays as it is, and the
    host is told.  Raises `KeyLost` if a host's key is missing.
    """
    with runtime.db.read_only() as session:
        runners = session.execute(
            select(Runner.id, Runner.vault_key).order_by(Runner.id)
        ).all()
    runner_ids = [row.id for row in runners if is_known_format(row.vault_key)]
    unreadable_count = 0
    for done, runner_id in enumerate(runner_ids, 1):
        reseal_vault(runtime, runner_id)
        if not _renew_vault(runtime, runner_id):
            continue
        unreadable_count += reseal_vault(runtime, runner_id)
        print(f"{done} of {len(runner_ids)} runners", file=sys.stderr)
    tell_unreadable(unreadable_count, "answers, sentences or exports")
    return len(runner_ids)


@retry_conflicts
def _renew_vault(runtime: Runtime, runner_id: int) -> bool:
    """Give the runner a new key and keep the one before; False if they are gone."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        runner = session.get(Runner, runner_id)
        if runner is None:
            return False
        former = runtime.sealer.open_vault_secrets(runner.vault_key)
        runner.vault_key = runtime.sealer.seal_vault(
            replace(
                former,
                answers=VaultSecrets.create().answers,
                former_answers=former.answers,
            )
        )
    return True


def reseal_vault(runtime: Runtime, runner_id: int) -> int:
    """Seal again what is under a runner's key before the present one; then drop that.

    Returns how many values no key opens, 0 if there was no key before.
    """
    while True:
        with runtime.db.read_only() as session:
            runner = session.get(Runner, runner_id)
        if runner is None:
            return 0
        vault = runtime.sealer.open_vault(runner.vault_key)
        if not vault.has_former_key:
            return 0
        for model in VAULT_BATCHES:
            # A row that a request holds is passed over and found the next time.
            while not reseal_table(runtime, model, runner_id, vault):
                sleep(_LOCKED_ROWS_WAIT_S)
        unreadable_count = _drop_former_key(runtime, runner_id)
        if unreadable_count is not None:
            return unreadable_count


@retry_conflicts
def _drop_former_key(runtime: Runtime, runner_id: int) -> int | None:
    """Forget the key before, and return how many values no key opens.

    None if a value is still under that key, which then stays.  Whoever seals for a
    runner holds the runner's lock, so none comes after this has looked.
    """
    unreadable_count = 0
    with runtime.db.transaction(runner_id=runner_id) as session:
        runner = session.get(Runner, runner_id)
        if runner is None:
            return 0
        secrets = runtime.sealer.open_vault_secrets(runner.vault_key)
        vault = Vault(secrets)
        for model, batch_rows in VAULT_BATCHES.items():
            column = find_column(model, "sealed")
            table: Any = model.__table__.c
            values = session.scalars(
                select(table.sealed)
                .where(table.runner_id == runner_id, table.sealed.is_not(None))
                .execution_options(yield_per=batch_rows)
            )
            for value in values:
                if vault.is_stale(value, column):
                    return None
                unreadable_count += not vault.is_current(value, column)
        runner.vault_key = runtime.sealer.seal_vault(
            replace(secrets, former_answers=None)
        )
    return unreadable_count


def reseal_table(
    runtime: Runtime, model: type[Model], runner_id: int, vault: Vault
) -> bool:
    """Seal a runner's rows of one table again; False if one was in use by others.

    A batch never waits for a row, so it cannot deadlock with a request that takes
    the same rows in another order.
    """
    column = find_column(model, "sealed")
    table: Any = model.__table__.c
    keys = tuple(inspect(model).primary_key)
    is_own = table.runner_id == runner_id
    last_keys: tuple[Any, ...] | None = None
    is_complete = True
    while True:
        after = () if last_keys is None else (tuple_(*keys) > tuple_(*last_keys),)
        with runtime.db.read_only() as session:
            rows = session.execute(
                select(*keys, table.sealed)
                .where(is_own, table.sealed.is_not(None), *after)
                .order_by(*keys)
                .limit(VAULT_BATCHES[model])
            ).all()
        if not rows:
            return is_complete
        last_keys = tuple(rows[-1][:-1])
        stale_keys = [
            tuple(row[:-1]) for row in rows if vault.is_stale(row[-1], column)
        ]
        if not stale_keys:
            continue
        resealed = _reseal_rows(runtime, model, runner_id, stale_keys, vault)
        is_complete &= resealed == len(stale_keys)


@retry_conflicts
def _reseal_rows(
    runtime: Runtime,
    model: type[Model],
    runner_id: int,
    stale_keys: Sequence[tuple[Any, ...]],
    vault: Vault,
) -> int:
    """Seal those of these rows again that no request holds; return how many."""
    column = find_column(model, "sealed")
    table: Any = model.__table__.c
    keys = tuple(inspect(model).primary_key)
    is_own = table.runner_id == runner_id
    with runtime.db.transaction() as session:
        stale_rows = session.execute(
            select(*keys, table.sealed)
            .where(is_own, tuple_(*keys).in_(stale_keys), table.sealed.is_not(None))
            .with_for_update(skip_locked=True)
        ).all()
        for row in stale_rows:
            session.execute(
                update(model)
                .where(is_own, tuple_(*keys) == tuple_(*row[:-1]))
                .values(sealed=vault.reseal(row[-1], column))
                .execution_options(synchronize_session=False)
            )
    return len(stale_rows)
