"""The request budget of one process alone, for the time when Redis does not answer."""

from collections import Counter
from dataclasses import replace

from sync.strava.rate_limits import (
    DAY_MS,
    QUARTER_MS,
    WINDOW_LENGTHS_MS,
    Action,
    Ledger,
    LimitCounts,
    Step,
    StepResult,
    window_end_ms,
)

LOCAL_DIVISOR = 4
# What each runner is sure of in a window of this length.
_OWN_REQUESTS = {QUARTER_MS: 1, DAY_MS: 3}


def _pool_size(allowed: int) -> int:
    return max(1, allowed // 2)


class _WindowShares:
    """Who has used how much of one window, and how much of that beyond their own."""

    def __init__(self, length_ms: int, own_requests: int) -> None:
        self.length_ms = length_ms
        self._own_requests = own_requests
        self._window = 0
        self._used: Counter[int] = Counter()

    def ready_ms(self, sharer_id: int, now_ms: int, allowed: int, burst: int) -> int:
        """Return when the runner may take a request: before now for at once.

        Of what the process may take in a day, `burst` requests beyond the runners' own
        are there from the beginning.
        """
        begin_ms = now_ms // self.length_ms * self.length_ms
        if self._window != begin_ms:
            self._window = begin_ms
            self._used.clear()
        beyond = sum(max(0, used - self._own_requests) for used in self._used.values())
        if self._used[sharer_id] < self._own_requests or beyond < burst:
            return begin_ms
        if self.length_ms == QUARTER_MS:
            return begin_ms + QUARTER_MS
        filling_ms = -(-(beyond + 1 - burst) * DAY_MS // _pool_size(allowed))
        return begin_ms + min(filling_ms, DAY_MS)

    def add(self, sharer_id: int) -> None:
        self._used[sharer_id] += 1


class LocalBudget:
    """Takes at most a quarter of each limit in each window: crude on purpose.

    Up to four processes that know nothing of each other thereby stay within the
    limits together.  A window closes earlier if the last known count has reached its
    limit; a 429 closes the quarter of an hour.  A runner is sure of a few requests in
    each window, and all runners have half of it beyond those, over a day evenly.
    Lanes, reserves and refunds are left to `budget.lua`.
    """

    def __init__(self) -> None:
        self._own = Ledger()
        self._shares = {
            length_ms: _WindowShares(length_ms, own_requests)
            for length_ms, own_requests in _OWN_REQUESTS.items()
        }

    def apply(self, step: Step, ledger: Ledger, now_ms: int) -> StepResult:
        """Apply `step` to what is known in `ledger`; no other process hears of it."""
        self._own = _enter_windows(self._own, now_ms)
        ledger = _add_report(_enter_windows(ledger, now_ms), step, now_ms)
        if step.action is not Action.TAKE:
            return StepResult(0, now_ms, ledger)
        wait_until_ms = ledger.paused_until_ms
        for own, used, limit, length_ms in zip(
            self._own.used, ledger.used, ledger.limits, WINDOW_LENGTHS_MS, strict=True
        ):
            if own >= max(1, limit // LOCAL_DIVISOR) or used >= limit:
                wait_until_ms = max(wait_until_ms, window_end_ms(now_ms, length_ms))
        allowed = {
            QUARTER_MS: max(1, ledger.limits.quarter_read // LOCAL_DIVISOR),
            DAY_MS: max(1, ledger.limits.day_read // LOCAL_DIVISOR),
        }
        burst = _pool_size(allowed[QUARTER_MS])
        for shares in self._shares.values() if step.sharer_id else ():
            pool_ready_ms = shares.ready_ms(
                step.sharer_id, now_ms, allowed[shares.length_ms], burst
            )
            if pool_ready_ms > now_ms:
                wait_until_ms = max(wait_until_ms, pool_ready_ms)
        if wait_until_ms:
            return StepResult(wait_until_ms, now_ms, ledger)
        for shares in self._shares.values() if step.sharer_id else ():
            shares.add(step.sharer_id)
        self._own = _add_request(self._own)
        return StepResult(0, now_ms, _add_request(ledger))


def _enter_windows(ledger: Ledger, now_ms: int) -> Ledger:
    """Set the counts of windows that are over to 0, and drop a pause that is over."""
    quarter, day = now_ms // QUARTER_MS, now_ms // DAY_MS
    used = ledger.used
    if ledger.quarter != quarter:
        used = used._replace(quarter_overall=0, quarter_read=0)
    if ledger.day != day:
        used = used._replace(day_overall=0, day_read=0)
    paused_until_ms = ledger.paused_until_ms
    return replace(
        ledger,
        quarter=quarter,
        day=day,
        used=used,
        paused_until_ms=paused_until_ms if paused_until_ms > now_ms else 0,
    )


def _add_report(ledger: Ledger, step: Step, now_ms: int) -> Ledger:
    """Believe Strava's limits, its counts where they are higher, and a 429."""
    report = step.report
    limits = zip(report.limits, ledger.limits, strict=True)
    pause_end_ms = window_end_ms(now_ms, QUARTER_MS) if step.refused else 0
    return replace(
        ledger,
        used=LimitCounts(*map(max, ledger.used, report.used)),
        limits=LimitCounts(*(reported or known for reported, known in limits)),
        paused_until_ms=max(ledger.paused_until_ms, pause_end_ms),
    )


def _add_request(ledger: Ledger) -> Ledger:
    return replace(ledger, used=LimitCounts(*(used + 1 for used in ledger.used)))
