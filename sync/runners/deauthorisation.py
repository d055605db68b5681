"""Handles a runner's deauthorisation at Strava, once Strava confirms it."""

import structlog

from sync.conflicts import retry_conflicts
from sync.errors import AccessRevoked
from sync.models import Connection
from sync.runners.disconnect import remove_strava_data
from sync.runners.tokens import get_access_token
from sync.runtime import Runtime
from sync.vocabulary import SealedColumn

log = structlog.get_logger()


def disconnect_if_revoked(runtime: Runtime, runner_id: int) -> bool:
    """Believe a deauthorisation only when Strava refuses to refresh the tokens.

    Events are not signed for certain, and a forged one must delete nothing.  Returns
    whether it was true.
    """
    try:
        with runtime.db.read_only() as session:
            connection = session.get(Connection, runner_id)
            refused = (
                runtime.sealer.open(connection.access_token, SealedColumn.STRAVA_ACCESS)
                if connection
                else None
            )
        get_access_token(runtime, runner_id, refused=refused)
    except AccessRevoked:
        _remove_data(runtime, runner_id)
        log.info("runner revoked access", runner_id=runner_id)
        return True
    return False


@retry_conflicts
def _remove_data(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.transaction(runner_id=runner_id) as session:
        remove_strava_data(runtime, session, runner_id)
