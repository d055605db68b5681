"""The request budget of one process alone, for the time when Redis does not answer."""

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


class LocalBudget:
    """Takes at most a quarter of each limit in each window: crude on purpose.

    Up to four processes that know nothing of each other thereby stay within the
    limits together.  A window closes earlier if the last known count has reached its
    limit; a 429 closes the quarter of an hour.  Lanes, reserves and refunds are left
    to `budget.lua`.
    """

    def __init__(self) -> None:
        self._own = Ledger()

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
        if wait_until_ms:
            return StepResult(wait_until_ms, now_ms, ledger)
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
