"""The request budget that all our processes share, kept in Redis.

Strava's limits belong to the app, so one count must serve web and workers.
Each question is one round trip; nothing here ever sleeps.
"""

from collections.abc import Mapping
from dataclasses import replace
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
from sync.strava.rate_limit_headers import parse_headers
from sync.strava.rate_limit_windows import (
    DAY_MS,
    MAX_CLOCK_SKEW_MS,
    MIN_PAUSE_MS,
    NEW_APP_LIMITS,
    NO_COUNTS,
    QUARTER_MS,
    RESERVE_PERMILLE,
    Ledger,
    LedgerEntry,
    LimitCounts,
    apply_entry,
    margin_ms,
    window_end_ms,
)

log = structlog.get_logger()

SCRIPT = Path(__file__).with_name("budget.lua")
EMPTY_ENTRY = LedgerEntry()
REDIS_TIMEOUT_S = 0.5
REDIS_RETRY_S = 2.0
# While Redis is away a process takes at most this part of each limit by itself.
LOCAL_DIVISOR = 4


class Budget:
    """Ask `reserve` before a request and tell `learn` about its answer."""

    def __init__(
        self,
        redis_url: str,
        *,
        app: str = "",
        quarter_s: float = QUARTER_MS / 1000,
        clock: Clock | None = None,
        timeout_s: float = REDIS_TIMEOUT_S,
    ) -> None:
        """Use `clock` for tests only: by itself the budget goes by Redis's clock."""
        self._timeout_s = timeout_s
        self._url = redis_url
        self._key = f"moodmiles:strava:{app}:budget"
        self._quarter_ms = int(quarter_s * 1000)
        self._clock = clock
        self._lock = Lock()
        self._ledger = Ledger(limits=NEW_APP_LIMITS)
        self._local_ledger = Ledger(limits=NEW_APP_LIMITS)
        self._is_shared = bool(redis_url)
        self._retry_redis_at = 0.0

    def reserve(self, lane: Lane) -> int:
        """Take one request and return when it was taken, for `give_back`.

        Raises `RateLimited` with the moment at which this lane may try again: a
        window's boundary, or sooner when only the reserve stands in the way.
        Everybody is told the same moment, so who stores it adds some jitter.
        """
        entry = LedgerEntry(take=1, reserve_permille=RESERVE_PERMILLE[lane])
        until_ms, now_ms = self._write(entry)
        if until_ms:
            raise RateLimited(_to_datetime(until_ms))
        return now_ms

    def refund(self, taken_at_ms: int) -> None:
        """Return a request that never reached Strava."""
        self._write(LedgerEntry(take=-1, taken_at_ms=taken_at_ms))

    def update_from_headers(
        self, headers: Mapping[str, str], *, refused: bool = False
    ) -> datetime:
        """Believe Strava's headers; `refused` (a 429) stops everybody.

        Returns the end of the pause; one that is over means that there is none.
        """
        entry = parse_headers(headers, refused=refused)
        if entry != EMPTY_ENTRY:
            self._write(entry)
        return _to_datetime(self._ledger.paused_until_ms)

    def state(self) -> BudgetState:
        """Look at the counts without taking anything."""
        _, now_ms = self._write(LedgerEntry())
        ledger = self._ledger
        spans = (self._quarter_ms, self._quarter_ms, DAY_MS, DAY_MS)
        names = (
            ("quarter", "overall"),
            ("quarter", "read"),
            ("day", "overall"),
            ("day", "read"),
        )
        rows = zip(names, ledger.used, ledger.limits, spans, strict=True)
        return BudgetState(
            meters=tuple(
                Meter(*name, used, limit, _to_datetime(window_end_ms(now_ms, span)))
                for name, used, limit, span in rows
            ),
            paused_until=_to_datetime(ledger.paused_until_ms)
            if ledger.paused_until_ms
            else None,
            is_shared=self._is_shared,
        )

    def _write(self, entry: LedgerEntry) -> tuple[int, int]:
        """Write to the shared ledger, or to our own; return the wait and the time."""
        with self._lock:
            if self._url and monotonic() >= self._retry_redis_at:
                try:
                    return self._write_shared(entry)
                except (RedisError, OSError) as error:
                    self._fall_back(error)
            return self._write_local(entry)

    def _write_shared(self, entry: LedgerEntry) -> tuple[int, int]:
        until_ms, now_ms, quarter, day, *rest = self._script(
            keys=[self._key], args=self._script_arguments(entry)
        )
        self._ledger = Ledger(
            quarter, day, tuple(rest[:4]), tuple(rest[4:8]), paused_until_ms=rest[8]
        )
        if not self._is_shared:
            self._is_shared = True
            log.info("request budget shared again")
        return until_ms, now_ms

    def _script_arguments(self, entry: LedgerEntry) -> list[int]:
        """Say it in the order of `budget.lua`, with all that we know ourselves.

        So a Redis that was emptied knows at once again what it had known.
        """
        ledger = self._ledger
        return [
            self._now_ms() if self._clock else 0,
            self._quarter_ms,
            margin_ms(self._quarter_ms),
            MIN_PAUSE_MS,
            MAX_CLOCK_SKEW_MS,
            entry.take,
            entry.reserve_permille,
            entry.taken_at_ms,
            entry.reported_at_ms,
            int(entry.refused),
            *entry.used,
            *entry.limits,
            ledger.quarter,
            ledger.day,
            *ledger.used,
            *ledger.limits,
            ledger.paused_until_ms,
        ]

    def _write_local(self, entry: LedgerEntry) -> tuple[int, int]:
        now_ms = self._now_ms()
        ledger, until_ms = apply_entry(
            self._ledger, entry, now_ms, quarter_ms=self._quarter_ms
        )
        if self._url:
            local_ledger, local_until_ms = apply_entry(
                replace(self._local_ledger, limits=_local_limits(ledger.limits)),
                replace(entry, used=NO_COUNTS, limits=NO_COUNTS, refused=False),
                now_ms,
                quarter_ms=self._quarter_ms,
            )
            until_ms = max(until_ms, local_until_ms)
            self._local_ledger = self._local_ledger if until_ms else local_ledger
        self._ledger = self._ledger if until_ms else ledger
        return until_ms, now_ms

    def _fall_back(self, error: Exception) -> None:
        self._retry_redis_at = monotonic() + REDIS_RETRY_S
        if self._is_shared:
            self._is_shared = False
            log.warning("request budget not shared", error=type(error).__name__)

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


def _local_limits(limits: LimitCounts) -> LimitCounts:
    first, second, third, fourth = (max(1, limit // LOCAL_DIVISOR) for limit in limits)
    return first, second, third, fourth


def _to_datetime(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
