"""Whether the parts that this process needs work right now."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import TypedDict

import structlog
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from sync import counters, heartbeats, part_failures, storage, work_status
from sync.backoff import MAX_WAIT
from sync.broker_faults import BrokerFailed
from sync.heartbeats import Heartbeat
from sync.queue import CeleryQueue
from sync.runtime import Runtime
from sync.storage import StorageFailed

log = structlog.get_logger()

# Health checks come often, and from several sides at once.
RECHECK_AFTER_S = 2.0
# Where everything has just been started, the schedule may be the last to be.
START_GRACE_S = 90.0


class PartState(StrEnum):
    """How a part stands; a database or Redis that fails has a fault's name instead."""

    OK = "ok"
    NONE = "none"  # there is no such part
    DOWN = "down"
    UNKNOWN = "unknown"
    SILENT = "silent"


class Readiness(TypedDict):
    """`strava` names its latest error of the last hour; pages work without it.

    `failing_parts` are those that end again and again, and how often of late.
    """

    database: str
    redis: str
    schedule: str
    workers: str
    strava: str
    oldest_due_s: dict[str, int]
    failing_parts: dict[str, int]


def is_ready(report: Readiness) -> bool:
    return (
        report["database"] == PartState.OK
        and report["redis"] in {PartState.OK, PartState.NONE}
        and report["schedule"] != PartState.SILENT
        and report["workers"] != PartState.SILENT
        and not report["failing_parts"]
    )


@dataclass(slots=True)
class ReadinessMonitor:
    """Tries what work does: writes a row, sends a wake-up, looks for signs of life.

    What was tried less than `RECHECK_AFTER_S` ago is not tried again.  The log hears
    of changes alone.
    """

    runtime: Runtime
    clock: Callable[[], float] = monotonic
    _queue: CeleryQueue = field(init=False)
    _started_at: float = field(init=False)
    _checked_at: float | None = None
    _storage: str = PartState.UNKNOWN
    _broker: str = PartState.UNKNOWN
    _silent_since: dict[Heartbeat, float] = field(default_factory=dict)
    _logged: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._queue = CeleryQueue(self.runtime.settings.redis_url)
        self._started_at = self.clock()

    def check(self) -> Readiness:
        self._try_writing()
        schedule = self._listen_for(Heartbeat.SCHEDULE)
        workers = self._listen_for(Heartbeat.WORKERS)
        report = Readiness(
            database=self._storage,
            redis=self._broker,
            schedule=schedule,
            workers=workers,
            strava=PartState.UNKNOWN,
            oldest_due_s={},
            failing_parts=part_failures.read_failing(
                self.runtime.settings.data_dir,
                self.runtime.settings.redis_url if self._broker == PartState.OK else "",
            ),
        )
        try:
            with self.runtime.db.read_only() as session:
                now = self.runtime.db.now(session)
                report["oldest_due_s"] = work_status.count_due(session, now).late_s
                latest_error = counters.latest_strava_error(session)
        except SQLAlchemyError:
            if report["database"] == PartState.OK:
                report["database"] = PartState.DOWN
        else:
            is_recent = latest_error is not None and now - latest_error[1] <= MAX_WAIT
            # After the longest wait of a retry, everything has been tried again.
            report["strava"] = (
                latest_error[0] if latest_error and is_recent else PartState.OK
            )
        for part, state in (
            ("database", report["database"]),
            ("redis", report["redis"]),
            ("schedule", schedule),
            ("workers", workers),
        ):
            self._log_change(part, state)
        return report

    def _try_writing(self) -> None:
        now = self.clock()
        if self._checked_at is not None and now - self._checked_at < RECHECK_AFTER_S:
            return
        self._checked_at = now
        try:
            storage.check_storage(self.runtime.db)
            self._storage = PartState.OK
        except StorageFailed as failure:
            self._storage = failure.fault
        if not self.runtime.settings.redis_url:
            self._broker = PartState.NONE
            return
        try:
            self._queue.check()
            self._broker = PartState.OK
        except BrokerFailed as failure:
            self._broker = PartState.DOWN if failure.is_away else failure.fault

    def _listen_for(self, heartbeat: Heartbeat) -> str:
        """Return whether a sign of life was heard lately, by Redis' own clock.

        Where nothing is known, as in an emptied Redis, the time counts from when that
        was first seen.
        """
        if self._broker != PartState.OK:
            return PartState.UNKNOWN
        now = self.clock()
        try:
            age_s: float | None = heartbeats.read_age_s(
                self.runtime.settings.redis_url, heartbeat
            )
        except (RedisError, OSError):
            return PartState.UNKNOWN
        if age_s is None:
            age_s = now - self._silent_since.setdefault(heartbeat, now)
        else:
            self._silent_since.pop(heartbeat, None)
        is_late = age_s > heartbeats.MAX_AGE_S
        if is_late and now - self._started_at > START_GRACE_S:
            return PartState.SILENT
        is_unheard = is_late or heartbeat in self._silent_since
        return PartState.UNKNOWN if is_unheard else PartState.OK

    def _log_change(self, part: str, state: str) -> None:
        before = self._logged.get(part, PartState.OK)
        self._logged[part] = state
        if state == before or PartState.UNKNOWN in {state, before}:
            return
        report = log.info if state in {PartState.OK, PartState.NONE} else log.warning
        report("part checked", part=part, state=str(state))
