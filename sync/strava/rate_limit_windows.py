"""Strava's request limits as arithmetic: two windows, two counts each, four lanes.

Strava counts per quarter of an hour on the wall clock and per UTC day, all
requests and, apart from that, the reading ones.  All of ours read.  `step` is
the whole rule; `budget.lua` says the same to Redis, and a test compares them.
Times are whole milliseconds since 1970.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from sync.strava.api import Lane

QUARTER_MS = 900_000
DAY_MS = 86_400_000
# A request in a window's last moment may be counted in the next one.
MAX_MARGIN_MS = 1_000
MIN_PAUSE_MS = 5_000
# Further apart than this, Strava's clock and ours do not mean the same time.
MAX_CLOCK_SKEW_MS = 60_000

# How much of a window's limit each lane leaves to the lanes above it when the
# window begins; at its end nothing is left unused.
RESERVE_PERMILLE = {
    Lane.WAITING: 0,
    Lane.NEW_RUN: 50,
    Lane.RECONCILE: 150,
    Lane.BACKFILL: 300,
}

# All requests of the quarter, its reads, all requests of the day, its reads.
LimitCounts: TypeAlias = tuple[int, int, int, int]
NO_COUNTS: LimitCounts = (0, 0, 0, 0)
# What Strava grants to a new app, until its own headers say more.
NEW_APP_LIMITS: LimitCounts = (200, 100, 2000, 1000)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known to be used up, in the quarter and the day that are named."""

    quarter: int = 0
    day: int = 0
    used: LimitCounts = NO_COUNTS
    limits: LimitCounts = NO_COUNTS
    paused_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One thing to write down; what is left out changes nothing.

    `take` is 1 to ask for a request and -1 to give one back that was taken at
    `taken_at_ms`.  `used` and `limits` are Strava's words, spoken at
    `heard_at_ms`; `refused` says that it answered 429.
    """

    take: int = 0
    reserve_permille: int = 0
    taken_at_ms: int = 0
    reported_at_ms: int = 0
    used: LimitCounts = NO_COUNTS
    limits: LimitCounts = NO_COUNTS
    refused: bool = False


def apply_entry(
    ledger: Ledger, entry: LedgerEntry, now_ms: int, *, quarter_ms: int = QUARTER_MS
) -> tuple[Ledger, int]:
    """Write `entry` down; also tell until when to wait, or 0 if all is granted."""
    spans = (quarter_ms, quarter_ms, DAY_MS, DAY_MS)
    ledger = _apply_reported(_roll_over(ledger, now_ms, spans), entry, now_ms, spans)
    if entry.refused:
        ledger = _apply_pause(ledger, entry, now_ms, spans)
    if entry.take < 0:
        return _apply_refund(ledger, entry, now_ms, spans), 0
    until_ms = (
        _wait_until_ms(ledger, entry.reserve_permille, now_ms, spans)
        if entry.take
        else 0
    )
    if entry.take and not until_ms:
        ledger = replace(ledger, used=_to_counts(used + 1 for used in ledger.used))
    return ledger, until_ms


def window_end_ms(at_ms: int, span_ms: int) -> int:
    """Tell when the window around a moment ends."""
    return (at_ms // span_ms + 1) * span_ms


def margin_ms(quarter_ms: int) -> int:
    return min(MAX_MARGIN_MS, quarter_ms // 50)


def _roll_over(ledger: Ledger, now_ms: int, spans: LimitCounts) -> Ledger:
    """Begin a new count for every window that is not the one of now."""
    quarter, day = now_ms // spans[0], now_ms // DAY_MS
    same = (ledger.quarter == quarter,) * 2 + (ledger.day == day,) * 2
    is_paused = now_ms < ledger.paused_until_ms <= now_ms + DAY_MS
    return replace(
        ledger,
        quarter=quarter,
        day=day,
        used=_to_counts(
            used if is_same else 0
            for used, is_same in zip(ledger.used, same, strict=True)
        ),
        paused_until_ms=ledger.paused_until_ms if is_paused else 0,
    )


def _apply_reported(
    ledger: Ledger, entry: LedgerEntry, now_ms: int, spans: LimitCounts
) -> Ledger:
    """Believe Strava's limits, and its count where it is higher than ours.

    Ours may be the higher one rightly: it holds what is still on its way.
    """
    at_ms = _reported_at_ms(entry, now_ms)
    counts = zip(ledger.used, entry.used, spans, strict=True)
    limits = zip(ledger.limits, entry.limits, strict=True)
    return replace(
        ledger,
        used=_to_counts(
            max(ours, theirs if at_ms // span == now_ms // span else 0)
            for ours, theirs, span in counts
        ),
        limits=_to_counts(reported or current for current, reported in limits),
    )


def _apply_pause(
    ledger: Ledger, entry: LedgerEntry, now_ms: int, spans: LimitCounts
) -> Ledger:
    """Stop everybody until the boundary of the window that is used up."""
    day_is_over = any(
        used >= limit
        for used, limit in zip(ledger.used[2:], ledger.limits[2:], strict=True)
    )
    span = DAY_MS if day_is_over else spans[0]
    until_ms = max(
        window_end_ms(_reported_at_ms(entry, now_ms), span),
        now_ms + MIN_PAUSE_MS,
        ledger.paused_until_ms,
    )
    return replace(ledger, paused_until_ms=until_ms)


def _apply_refund(
    ledger: Ledger, entry: LedgerEntry, now_ms: int, spans: LimitCounts
) -> Ledger:
    counts = zip(ledger.used, spans, strict=True)
    return replace(
        ledger,
        used=_to_counts(
            max(0, used - (entry.taken_at_ms // span == now_ms // span))
            for used, span in counts
        ),
    )


def _wait_until_ms(
    ledger: Ledger, reserve_permille: int, now_ms: int, spans: LimitCounts
) -> int:
    """Tell when this lane may take one more, or 0 for at once."""
    until_ms = ledger.paused_until_ms
    if window_end_ms(now_ms, spans[0]) - now_ms <= margin_ms(spans[0]):
        until_ms = max(until_ms, window_end_ms(now_ms, spans[0]))
    for used, limit, span in zip(ledger.used, ledger.limits, spans, strict=True):
        left_ms = window_end_ms(now_ms, span) - now_ms
        remaining = limit - used - 1
        reserve_fits_ms = _compute_reserve_fit_ms(
            remaining, limit * reserve_permille, span
        )
        if left_ms > reserve_fits_ms:
            until_ms = max(until_ms, now_ms + left_ms - reserve_fits_ms)
    return until_ms


def _compute_reserve_fit_ms(remaining: int, reserve_thousandths: int, span: int) -> int:
    """Tell how near the reset must be for the shrinking reserve to fit in `room`.

    The reserve is `kept_from_limit` thousandths when the window begins, falls
    evenly to nothing and is rounded to whole requests.
    """
    if remaining < 0:
        return 0
    if not reserve_thousandths:
        return span
    return min(
        span, ((2 * remaining + 1) * 1000 * span - 1) // (2 * reserve_thousandths)
    )


def _reported_at_ms(entry: LedgerEntry, now_ms: int) -> int:
    """Take Strava's own time for its words, unless its clock is far from ours."""
    return (
        entry.reported_at_ms
        if abs(entry.reported_at_ms - now_ms) <= MAX_CLOCK_SKEW_MS
        else now_ms
    )


def _to_counts(numbers: Iterable[int]) -> LimitCounts:
    first, second, third, fourth = numbers
    return first, second, third, fourth
