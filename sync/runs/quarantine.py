"""Records that could not be read: counted for the host, and tried again."""

import structlog
from sqlalchemy import delete, func, select

from sync.errors import MoodmilesError, NotOnStrava
from sync.models import SetAside
from sync.runs import pull
from sync.runtime import Runtime
from sync.strava import Lane

log = structlog.get_logger()


def count(runtime: Runtime) -> int:
    """Return how many records wait for another try."""
    with runtime.db.reading() as session:
        found = session.scalar(select(func.count()).select_from(SetAside))
    return found or 0


def retry(runtime: Runtime) -> tuple[int, int]:
    """Read every record again; return how many were tried and how many are left."""
    with runtime.db.reading() as session:
        waiting = session.execute(
            select(SetAside.id, SetAside.runner_id, SetAside.source_id).order_by(
                SetAside.at
            )
        ).all()
    return len(waiting), sum(
        not _is_read(runtime, row_id, runner_id, source_id)
        for row_id, runner_id, source_id in waiting
    )


def _is_read(runtime: Runtime, row_id: int, runner_id: int, source_id: int) -> bool:
    try:
        pull.pull(runtime, runner_id, source_id, lane=Lane.SWEEP)
    except NotOnStrava:
        pass  # it is gone, and so is the trouble with it
    except MoodmilesError as error:
        log.warning(
            "record still cannot be read",
            runner_id=runner_id,
            strava_id=source_id,
            error=type(error).__name__,
        )
        return False
    with runtime.db.transaction() as session:
        session.execute(delete(SetAside).where(SetAside.id == row_id))
    return True
