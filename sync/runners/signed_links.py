"""Links that name a runner without a sign-in, for one purpose each.

A runner's own secret signs them: they outlive every change of the host's keys, die
with the runner, and never fit another who gets the same number.
"""

import hmac

from sqlalchemy import select

from sync.crypto import Vault
from sync.models import Runner
from sync.runtime import Runtime
from sync.vocabulary import SignedLinkPurpose

_MAX_DIGITS = 18


def create_token(
    runtime: Runtime, runner_id: int, *, purpose: SignedLinkPurpose
) -> str:
    """Return the runner's token for a purpose; it never expires."""
    with runtime.db.read_only() as session:
        vault_key = session.get_one(Runner, runner_id).vault_key
    return sign_token(runtime.sealer.open_vault(vault_key), runner_id, purpose=purpose)


def sign_token(vault: Vault, runner_id: int, *, purpose: SignedLinkPurpose) -> str:
    """Return the token of the runner whose vault this is."""
    return f"{runner_id}-{vault.link_signature(purpose, runner_id)}"


def find_token_runner(
    runtime: Runtime, token: str, *, purpose: SignedLinkPurpose
) -> int | None:
    """Return the id of the runner whose token this is, or None; writes nothing.

    Raises `KeyLost` if the runner's vault cannot be opened.
    """
    number, _, signature = token.partition("-")
    is_number = number.isascii() and number.isdigit()
    if not is_number or len(number) > _MAX_DIGITS:
        return None
    runner_id = int(number)
    if str(runner_id) != number:
        return None
    with runtime.db.read_only() as session:
        vault_key = session.scalar(
            select(Runner.vault_key).where(Runner.id == runner_id)
        )
    if vault_key is None:
        return None
    vault = runtime.sealer.open_vault(vault_key)
    valid_signatures = [vault.link_signature(purpose, runner_id)]
    if purpose is SignedLinkPurpose.UNSUBSCRIBE:
        valid_signatures += vault.former_stops
    # Each is compared, so that the time tells nothing about which of them fits.
    matches = [
        hmac.compare_digest(signature.encode(), valid.encode())
        for valid in valid_signatures
    ]
    return runner_id if any(matches) else None
