"""`moodmiles keys rotate`: seal every stored secret again, with the newest key.

Put the new key first in MOODMILES_SECRET_KEYS, restart, rotate; then the old
key can go.  A second run changes nothing but the ciphertext.  Answers, sentences
and exports lie under each runner's own vault key, which moves with the rest.
"""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

from sqlalchemy import inspect, select

from host.checks import ActionRequired, open_runtime
from host.configuration import load_effective_settings
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
    """Re-seal all, while everybody works; raises `KeyLost` before anything changes."""
    for model in SEALED_COLUMNS:
        if count_unreadable(runtime, model):
            raise KeyLost(
                "Not every secret can be opened, so none was changed: put all former "
                "keys back into MOODMILES_SECRET_KEYS, behind the newest."
            )
    return sum(_rotate_table(runtime, model) for model in SEALED_COLUMNS)


def count_unreadable(runtime: Runtime, model: type[Model]) -> int:
    """Count the rows with a secret that no key at hand opens."""
    columns = [getattr(model, name) for name in SEALED_COLUMNS[model]]
    with runtime.db.read_only() as session:
        rows = session.execute(select(*columns)).all()
    return sum(not _can_open_all(runtime, row) for row in rows)


def check_keys(settings: Settings) -> str:
    """Tell the doctor whether the keys open what is stored."""
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


def _can_open_all(runtime: Runtime, secrets: Sequence[bytes | None]) -> bool:
    try:
        for secret in secrets:
            if secret is not None:
                runtime.sealer.open(secret)
    except KeyLost:
        return False
    return True


def _rotate_table(runtime: Runtime, model: type[Model]) -> int:
    """Move one table, one row at a time.

    A transaction that locks several rows and one of a runner's that takes the same
    rows in another order would wait for each other.
    """
    (key,) = inspect(model).primary_key
    with runtime.db.read_only() as session:
        keys = session.scalars(select(key).order_by(key)).all()
    return sum(_rotate_row(runtime, model, key) for key in keys)


def _rotate_row(runtime: Runtime, model: type[Model], key: object) -> int:
    with runtime.db.transaction() as session:
        row = session.get(model, key, with_for_update=True)
        if row is None:
            return 0
        count = sum(_reseal(runtime, row, name) for name in SEALED_COLUMNS[model])
        _update_email_hash(runtime, row)
        return count


def _reseal(runtime: Runtime, row: object, name: str) -> bool:
    sealed = getattr(row, name)
    if sealed is None:
        return False
    setattr(row, name, runtime.sealer.reseal(sealed))
    return True


def _update_email_hash(runtime: Runtime, row: object) -> None:
    """Find addresses by a hash with the newest key, too."""
    if isinstance(row, Runner) and row.email is not None and row.email_hash:
        address = runtime.sealer.open(row.email)
        row.email_hash = runtime.sealer.lookup_hashes(address)[0]
