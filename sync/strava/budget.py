"""The request budget that all our processes share, kept in Redis.

Strava's limits belong to the app, so one count must serve web and workers.
Each question is one round trip; nothing here ever sleeps.
"""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from time import monotonic

import structlog
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from sync.clock import Clock, utc_now
from sync.errors import RateLimited
from sync.settings import Settings
from sync.strava.api import BudgetState, Lane, Meter
from sync.strava.local_budget import LocalBudget
from sync.strava.rate_limits import (
    WINDOW_LENGTHS_MS,
    Action,
    Ledger,
    Report,
    Step,
    StepResult,
    parse_headers,
    window_end_ms,
)

log = structlog.get_logger()

SCRIPT = Path(__file__).with_name("budget.lua")
REDIS_TIMEOUT_S = 0.5
REDIS_RETRY_S = 2.0
METER_NAMES = (
    ("quarter", "overall"),
    ("quarter", "read"),
    ("day", "overall"),
    ("day", "read"),
)


# What events ask for; whoever sends them may have invented them.
SHARED_LANES = (Lane.NEW_RUN,)
_sharer_id: ContextVar[int] = ContextVar("sharer_id", default=0)


@contextmanager
def sharing(runner_id: int) -> Generator[None]:
    """Let the requests within come out of this runner's share."""
    token = _sharer_id.set(runner_id)
    try:
        yield
    finally:
        _sharer_id.reset(token)


@dataclass(frozen=True, slots=True)
class Reservation:
    """One request taken: when, and out of whose share (0 for nobody's)."""

    taken_at_ms: int
    sharer_id: int


class Budget:
    """Ask `reserve` before a request and give its answer to `update_from_headers`.

    While Redis does not answer, and without an address of one, each process has a
    `LocalBudget`.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        app: str = "",
        clock: Clock | None = None,
        timeout_s: float = REDIS_TIMEOUT_S,
    ) -> None:
        """Use `clock` for tests only: by itself the budget goes by Redis's clock."""
        self._timeout_s = timeout_s
        self._url = redis_url
        self._key = f"moodmiles:strava:{app}:budget"
        self._clock = clock
        self._lock = Lock()
        self._ledger = Ledger()
        self._local = LocalBudget()
        self._is_shared = bool(redis_url)
        self._retry_redis_at = 0.0

    def reserve(self, lane: Lane) -> Reservation:
        """Take one request; `refund` gives it back.

        In a lane of `SHARED_LANES` it comes out of the share of the runner for whom
        `sharing` is open.  Raises `RateLimited` with the moment at which this lane
        may try again: a window's end, or sooner when only the reserve or the share
        stands in the way.  Callers get the same moment, so a caller that stores it
        adds some jitter.
        """
        sharer_id = _sharer_id.get() if lane in SHARED_LANES else 0
        result = self._apply(Step(Action.TAKE, lane=lane, sharer_id=sharer_id))
        if result.wait_until_ms:
            raise RateLimited(_to_datetime(result.wait_until_ms))
        return Reservation(result.now_ms, sharer_id)

    def refund(self, reservation: Reservation) -> None:
        """Return a request that never reached Strava."""
        self._apply(
            Step(
                Action.REFUND,
                taken_at_ms=reservation.taken_at_ms,
                sharer_id=reservation.sharer_id,
            )
        )

    def update_from_headers(
        self, headers: Mapping[str, str], *, refused: bool = False
    ) -> datetime:
        """Believe Strava's headers; `refused` (a 429) stops every process.

        Returns the end of the pause; one that is over means that there is none.
        """
        report = parse_headers(headers)
        ledger = self._ledger
        if refused or report.used != Report().used or report.limits != Report().limits:
            ledger = self._apply(Step(report=report, refused=refused)).ledger
        return _to_datetime(ledger.paused_until_ms)

    def state(self) -> BudgetState:
        """Return the counts without taking anything."""
        result = self._apply(Step())
        ledger = result.ledger
        rows = zip(
            METER_NAMES, ledger.used, ledger.limits, WINDOW_LENGTHS_MS, strict=True
        )
        return BudgetState(
            meters=tuple(
                Meter(
                    window=window,
                    kind=kind,
                    used=used,
                    limit=limit,
                    resets_at=_to_datetime(window_end_ms(result.now_ms, length_ms)),
                )
                for (window, kind), used, limit, length_ms in rows
            ),
            paused_until=_to_datetime(ledger.paused_until_ms)
            if ledger.paused_until_ms
            else None,
            is_shared=self._is_shared,
        )

    def _apply(self, step: Step) -> StepResult:
        """Apply a step to the shared ledger, or to this process's own."""
        with self._lock:
            result = self._apply_shared(step)
            if result is None:
                result = self._local.apply(step, self._ledger, self._now_ms())
            self._ledger = result.ledger
            return result

    def _apply_shared(self, step: Step) -> StepResult | None:
        """Run the script; None if Redis does not answer."""
        if not self._url or monotonic() < self._retry_redis_at:
            return None
        request = {
            "now_ms": self._now_ms() if self._clock else 0,
            "step": asdict(step),
            "ledger": asdict(self._ledger),
        }
        try:
            answer = self._script(keys=[self._key], args=[json.dumps(request)])
        except (RedisError, OSError) as error:
            self._retry_redis_at = monotonic() + REDIS_RETRY_S
            if self._is_shared:
                self._is_shared = False
                log.warning("request budget not shared", error=type(error).__name__)
            return None
        if not self._is_shared:
            self._is_shared = True
            log.info("request budget shared again")
        return StepResult.parse(answer)

    @cached_property
    def _script(self) -> Script:
        redis = Redis.from_url(
            self._url,
            socket_connect_timeout=self._timeout_s,
            socket_timeout=self._timeout_s,
            # The client's own way to wait for Redis is to sleep.
            retry=Retry(NoBackoff(), 0),
        )
        return redis.register_script(SCRIPT.read_text())

    def _now_ms(self) -> int:
        return int((self._clock or utc_now)().timestamp() * 1000)


def create_budget(settings: Settings) -> Budget:
    """Return the budget of the app that the settings name."""
    return Budget(settings.redis_url, app=str(settings.strava_client_id or ""))


def _to_datetime(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
