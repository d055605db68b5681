"""Stopping the survey mails from any mail, with one click and no sign-in."""

import structlog

from sync.conflicts import retry_conflicts
from sync.crypto import Vault
from sync.mail import outbox
from sync.mail.kinds import find_kinds
from sync.models import Runner
from sync.runners import preferences, signed_links
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.vocabulary import ConsentKind, SignedLinkPurpose, SuppressionReason

log = structlog.get_logger()

_TOKEN_PURPOSE = SignedLinkPurpose.UNSUBSCRIBE


def create_token(runtime: Runtime, runner_id: int) -> str:
    """Return the runner's unsubscribe token, which never expires."""
    return signed_links.create_token(runtime, runner_id, purpose=_TOKEN_PURPOSE)


def sign_token(vault: Vault, runner_id: int) -> str:
    """Return the unsubscribe token of the runner whose vault this is."""
    return signed_links.sign_token(vault, runner_id, purpose=_TOKEN_PURPOSE)


def find_runner_id(runtime: Runtime, token: str) -> int | None:
    """Return whose token this is, or None; writes nothing."""
    return signed_links.find_token_runner(runtime, token, purpose=_TOKEN_PURPOSE)


def is_stoppable_part(part: str) -> bool:
    """Whether a mail's link may stop this by itself; it is a preference's name."""
    return bool(find_kinds(lambda spec: spec.stoppable_part == part))


def stop_part(runtime: Runtime, token: str, part: str) -> bool:
    """Stop the check-ins or the digest and nothing else; False if not ours."""
    runner_id = find_runner_id(runtime, token)
    if runner_id is None:
        return False
    preferences.reduce_preferences(runtime, runner_id, {part: False})
    return True


@retry_conflicts
def stop_all_mails(runtime: Runtime, token: str) -> bool:
    """Ask and look back by mail no more; False if the token is not ours."""
    runner_id = find_runner_id(runtime, token)
    if runner_id is None:
        return False
    with runtime.db.transaction(runner_id=runner_id) as session:
        runner = session.get(Runner, runner_id)
        if runner is None:
            return False
        now = runtime.db.now(session)
        runner.preferences = runner.preferences.with_mails_stopped()
        runners.withdraw_consent(session, runner_id, ConsentKind.MAIL, at=now)
        outbox.cancel_runner_surveys(session, runner_id, SuppressionReason.STOPPED)
        outbox.cancel_runner_digests(session, runner_id, SuppressionReason.STOPPED)
    log.info("mails stopped", runner_id=runner_id)
    return True
