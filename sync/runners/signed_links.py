"""Links that name a runner without a sign-in, for one purpose each."""

import hmac

from sync.models import Runner
from sync.runtime import Runtime

UNSUBSCRIBE = "unsubscribe"
_LONGEST_NUMBER = 18


def token_for(runtime: Runtime, runner_id: int, *, purpose: str) -> str:
    """Return the runner's token for a purpose; it never expires."""
    return f"{runner_id}-{runtime.sealer.signatures(purpose, str(runner_id))[0]}"


def holder(runtime: Runtime, token: str, *, purpose: str) -> int | None:
    """Return whose token this is, or None; writes nothing."""
    number, _, signature = token.partition("-")
    is_number = number.isascii() and number.isdigit()
    if not is_number or len(number) > _LONGEST_NUMBER:
        return None
    genuine = runtime.sealer.signatures(purpose, number)
    if not any(hmac.compare_digest(signature.encode(), g.encode()) for g in genuine):
        return None
    with runtime.db.reading() as session:
        return runner.id if (runner := session.get(Runner, int(number))) else None
