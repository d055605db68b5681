"""Links that name a runner without a sign-in, for one purpose each."""

import hmac

from sync.models import Runner
from sync.runtime import Runtime
from sync.vocabulary import SignedLinkPurpose

_MAX_DIGITS = 18


def create_token(
    runtime: Runtime, runner_id: int, *, purpose: SignedLinkPurpose
) -> str:
    """Return the runner's token for a purpose; it never expires."""
    return f"{runner_id}-{runtime.sealer.signatures(purpose, str(runner_id))[0]}"


def find_token_runner(
    runtime: Runtime, token: str, *, purpose: SignedLinkPurpose
) -> int | None:
    """Return the id of the runner whose token this is, or None; writes nothing."""
    number, _, signature = token.partition("-")
    is_number = number.isascii() and number.isdigit()
    if not is_number or len(number) > _MAX_DIGITS:
        return None
    if not any(
        hmac.compare_digest(signature.encode(), valid.encode())
        for valid in runtime.sealer.signatures(purpose, number)
    ):
        return None
    with runtime.db.read_only() as session:
        runner = session.get(Runner, int(number))
        return None if runner is None else runner.id
