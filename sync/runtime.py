"""The adapters to the outside world in one frozen bundle, built once a process."""

from dataclasses import dataclass

from sync.clock import Clock, utc_now
from sync.crypto import Sealer
from sync.database import Database, open_engine
from sync.queue import CeleryQueue, Queue
from sync.settings import Settings
from sync.strava import Strava
from sync.strava.client import HttpStrava


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    db: Database
    queue: Queue
    strava: Strava
    sealer: Sealer
    now: Clock


def build(settings: Settings, *, queue: Queue | None = None) -> Runtime:
    """Build the real adapters.  Tests call `Runtime(...)` with their own."""
    queue = queue or CeleryQueue(settings.redis_url)
    return Runtime(
        settings=settings,
        db=Database(open_engine(settings.sql_url, is_bounded=True), queue),
        queue=queue,
        strava=HttpStrava(settings),
        sealer=Sealer([key.get_secret_value() for key in settings.secret_keys]),
        now=utc_now,
    )
