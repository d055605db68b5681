"""`moodmiles keys rotate`: seal every stored secret again, with the newest key.

Put the new key first in MOODMILES_SECRET_KEYS, restart, rotate; then the old
key can go.  A second run changes nothing but the ciphertext.
"""

from argparse import Namespace

from sqlalchemy import select
from sqlalchemy.orm import Session

from host.configuration import effective
from sync.models import Connection, Mail, MailLink, Runner
from sync.runtime import Runtime, build

_SEALED = (
    (Runner, ("vault_key", "email")),
    (Connection, ("access_token", "refresh_token")),
    (MailLink, ("email",)),
    (Mail, ("sealed",)),
)


def run(arguments: Namespace) -> int:
    runtime = build(effective(arguments))
    try:
        count = rotate(runtime)
    finally:
        runtime.db.close()
    print(f"{count} secrets are sealed with the newest key.")
    return 0


def rotate(runtime: Runtime) -> int:
    """Re-seal all, in one transaction: either every secret has moved or none."""
    with runtime.db.transaction() as session:
        count = sum(
            _reseal(runtime, row, name)
            for model, names in _SEALED
            for row in session.scalars(select(model).with_for_update())
            for name in names
        )
        _look_up_by_newest_key(runtime, session)
    return count


def _reseal(runtime: Runtime, row: object, name: str) -> bool:
    sealed = getattr(row, name)
    if sealed is None:
        return False
    setattr(row, name, runtime.sealer.reseal(sealed))
    return True


def _look_up_by_newest_key(runtime: Runtime, session: Session) -> None:
    """Addresses are found by a keyed hash, which must move along."""
    for runner in session.scalars(select(Runner).where(Runner.email_hash.is_not(None))):
        if runner.email is not None:
            address = runtime.sealer.open(runner.email)
            runner.email_hash = runtime.sealer.lookup_hashes(address)[0]
