"""Stopping the survey mails from any mail, with one click and no sign-in."""

import structlog

from sync.mail import outbox
from sync.models import Runner
from sync.preferences import Preferences
from sync.runners import preferences, signed_links
from sync.runners import store as runners
from sync.runtime import Runtime

log = structlog.get_logger()

_PURPOSE = signed_links.UNSUBSCRIBE
# What can be stopped by itself, and the preference behind it.
PARTS = {"checkins", "digest"}


def token_for(runtime: Runtime, runner_id: int) -> str:
    """Return the runner's unsubscribe token, which never expires."""
    return signed_links.token_for(runtime, runner_id, purpose=_PURPOSE)


def holder(runtime: Runtime, token: str) -> int | None:
    """Return whose token this is, or None; writes nothing."""
    return signed_links.holder(runtime, token, purpose=_PURPOSE)


def stop_only(runtime: Runtime, token: str, part: str) -> bool:
    """Stop the check-ins or the digest and nothing else; False if not ours."""
    runner_id = holder(runtime, token)
    if runner_id is None:
        return False
    preferences.save(runtime, runner_id, {part: False})
    return True


def stop(runtime: Runtime, token: str) -> bool:
    """Ask and look back by mail no more; False if the token is not ours."""
    runner_id = holder(runtime, token)
    if runner_id is None:
        return False
    with runtime.db.transaction() as session:
        runner = session.get(Runner, runner_id)
        if runner is None:
            return False
        now = runtime.db.now(session)
        runner.preferences = Preferences.of(runner.preferences).stopped().stored()
        runners.withdraw(session, runner_id, "mail", at=now)
        outbox.cancel_surveys(session, runner_id, "stopped")
        outbox.cancel_digests(session, runner_id, "stopped")
    log.info("mails stopped", runner_id=runner_id)
    return True
