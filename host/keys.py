"""`moodmiles keys rotate`: seal every stored secret again, with the newest key.

Put the new key first in MOODMILES_SECRET_KEYS, restart, rotate; then the old
key can go.  A second run changes nothing but the ciphertext.  Answers, sentences
and exports lie under each runner's own vault key, which moves with the rest.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import inspect, select

from host.checks import ActionRequired, open_runtime
from host.configuration import load_effective_settings
from sync.conflicts import retry_conflicts
from sync.crypto import KeyLost
from sync.models import Connection, Mail, MailLink, Model, Runner
from sync.runtime import Runtime, build
from sync.settings import Settings

SEALED_COLUMNS: Mapping[type[Model], tuple[str, ...]] = {
    Runner: ("vault_key", "email"),
    Connection: ("access_token", "refresh_token"),
    MailLink: ("email",),
    Mail: ("sealed",),
}


def run(arguments: SimpleNamespace) -> int:
    runtime = build(load_effective_settings(arguments))
    try:
        count = rotate_keys(runtime)
    finally:
        runtime.db.close()
    print(f"{count} secrets are sealed with the newest key.")
    return 0


def rotate_keys(runtime: Runtime) -> int:
    """Re-seal every secret and return their number, while the instance is in use.

    Raises `KeyLost` before anything changes if a secret cannot be opened.
    """
    for model in SEALED_COLUMNS:
        if count_unreadable(runtime, model):
            raise KeyLost(
                "Not every secret can be opened, so none was changed: put all former "
                "keys back into MOODMILES_SECRET_KEYS, behind the newest."
            )
    return sum(rotate_table(runtime, model) for model in SEALED_COLUMNS)


def count_unreadable(runtime: Runtime, model: type[Model]) -> int:
    """Count the rows with a secret that none of the configured keys opens."""
    columns = [getattr(model, name) for name in SEALED_COLUMNS[model]]
    with runtime.db.read_only() as session:
        rows = session.execute(select(*columns)).all()
    count = 0
    for row in rows:
        try:
            for secret in row:
                if secret is not None:
                    runtime.sealer.open(secret)
        except KeyLost:
            count += 1
    return count


def check_keys(settings: Settings) -> str:
    """Report whether the configured keys open all stored secrets."""
    with open_runtime(settings) as runtime:
        unreadable = {
            model: count_unreadable(runtime, model) for model in SEALED_COLUMNS
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
            if sealed is not None:
                setattr(row, name, runtime.sealer.reseal(sealed))
                count += 1
        # Addresses are found by a hash, which the newest key makes from now on.
        if isinstance(row, Runner) and row.email is not None and row.email_hash:
            address = runtime.sealer.open(row.email)
            row.email_hash = runtime.sealer.lookup_hashes(address)[0]
    return count
