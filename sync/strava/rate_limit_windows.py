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
LONGEST_MARGIN_MS = 1_000
LEAST_PAUSE_MS = 5_000
# Further apart than this, Strava's clock and ours do not mean the same time.
CLOSE_MS = 60_000

# How much of a window's limit each lane leaves to the lanes above it when the
# window begins; at its end nothing is left unused.
KEPT_PERMILLE = {
    Lane.WAITING: 0,
    Lane.NEW_RUN: 50,
    Lane.SWEEP: 150,
    Lane.BACKFILL: 300,
}

# All requests of the quarter, its reads, all requests of the day, its reads.
Four: TypeAlias = tuple[int, int, int, int]
NONE: Four = (0, 0, 0, 0)
# What Strava grants to a new app, until its own headers say more.
NEW_APP: Four = (200, 100, 2000, 1000)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known to be used up, in the quarter and the day that are named."""

    quarter: int = 0
    day: int = 0
    used: Four = NONE
    limits: Four = NONE
    paused_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to write down; what is left out changes nothing.

    `take` is 1 to ask for a request and -1 to give one back that was taken at
    `taken_at_ms`.  `used` and `limits` are Strava's words, spoken at
    `heard_at_ms`; `refused` says that it answered 429.
    """

    take: int = 0
    kept_permille: int = 0
    taken_at_ms: int = 0
    heard_at_ms: int = 0
    used: Four = NONE
    limits: Four = NONE
    refused: bool = False


def step(
    ledger: Ledger, entry: Entry, now_ms: int, *, quarter_ms: int = QUARTER_MS
) -> tuple[Ledger, int]:
    """Write `entry` down; also tell until when to wait, or 0 if all is granted."""
    spans = (quarter_ms, quarter_ms, DAY_MS, DAY_MS)
    ledger = _heard(_current(ledger, now_ms, spans), entry, now_ms, spans)
    if entry.refused:
        ledger = _paused(ledger, entry, now_ms, spans)
    if entry.take < 0:
        return _given_back(ledger, entry, now_ms, spans), 0
    until_ms = _wait(ledger, entry.kept_permille, now_ms, spans) if entry.take else 0
    if entry.take and not until_ms:
        ledger = replace(ledger, used=_four(used + 1 for used in ledger.used))
    return ledger, until_ms


def end_ms(at_ms: int, span_ms: int) -> int:
    """Tell when the window around a moment ends."""
    return (at_ms // span_ms + 1) * span_ms


def margin_ms(quarter_ms: int) -> int:
    return min(LONGEST_MARGIN_MS, quarter_ms // 50)


def _current(ledger: Ledger, now_ms: int, spans: Four) -> Ledger:
    """Begin a new count for every window that is not the one of now."""
    quarter, day = now_ms // spans[0], now_ms // DAY_MS
    same = (ledger.quarter == quarter,) * 2 + (ledger.day == day,) * 2
    paused = now_ms < ledger.paused_until_ms <= now_ms + DAY_MS
    return replace(
        ledger,
        quarter=quarter,
        day=day,
        used=_four(
            used if alike else 0 for used, alike in zip(ledger.used, same, strict=True)
        ),
        paused_until_ms=ledger.paused_until_ms if paused else 0,
    )


def _heard(ledger: Ledger, entry: Entry, now_ms: int, spans: Four) -> Ledger:
    """Believe Strava's limits, and its count where it is higher than ours.

    Ours may be the higher one rightly: it holds what is still on its way.
    """
    at_ms = _spoken_at(entry, now_ms)
    counts = zip(ledger.used, entry.used, spans, strict=True)
    limits = zip(ledger.limits, entry.limits, strict=True)
    return replace(
        ledger,
        used=_four(
            max(ours, theirs if at_ms // span == now_ms // span else 0)
            for ours, theirs, span in counts
        ),
        limits=_four(told or known for known, told in limits),
    )


def _paused(ledger: Ledger, entry: Entry, now_ms: int, spans: Four) -> Ledger:
    """Stop everybody until the boundary of the window that is used up."""
    day_is_over = any(
        used >= limit
        for used, limit in zip(ledger.used[2:], ledger.limits[2:], strict=True)
    )
    span = DAY_MS if day_is_over else spans[0]
    until_ms = max(
        end_ms(_spoken_at(entry, now_ms), span),
        now_ms + LEAST_PAUSE_MS,
        ledger.paused_until_ms,
    )
    return replace(ledger, paused_until_ms=until_ms)


def _given_back(ledger: Ledger, entry: Entry, now_ms: int, spans: Four) -> Ledger:
    counts = zip(ledger.used, spans, strict=True)
    return replace(
        ledger,
        used=_four(
            max(0, used - (entry.taken_at_ms // span == now_ms // span))
            for used, span in counts
        ),
    )


def _wait(ledger: Ledger, kept_permille: int, now_ms: int, spans: Four) -> int:
    """Tell when this lane may take one more, or 0 for at once."""
    until_ms = ledger.paused_until_ms
    if end_ms(now_ms, spans[0]) - now_ms <= margin_ms(spans[0]):
        until_ms = max(until_ms, end_ms(now_ms, spans[0]))
    for used, limit, span in zip(ledger.used, ledger.limits, spans, strict=True):
        left_ms = end_ms(now_ms, span) - now_ms
        room = limit - used - 1
        enough_ms = _enough_ms(room, limit * kept_permille, span)
        if left_ms > enough_ms:
            until_ms = max(until_ms, now_ms + left_ms - enough_ms)
    return until_ms


def _enough_ms(room: int, kept_from_limit: int, span: int) -> int:
    """Tell how near the reset must be for the shrinking reserve to fit in `room`.

    The reserve is `kept_from_limit` thousandths when the window begins, falls
    evenly to nothing and is rounded to whole requests.
    """
    if room < 0:
        return 0
    if not kept_from_limit:
        return span
    return min(span, ((2 * room + 1) * 1000 * span - 1) // (2 * kept_from_limit))


def _spoken_at(entry: Entry, now_ms: int) -> int:
    """Take Strava's own time for its words, unless its clock is far from ours."""
    return entry.heard_at_ms if abs(entry.heard_at_ms - now_ms) <= CLOSE_MS else now_ms


def _four(numbers: Iterable[int]) -> Four:
    first, second, third, fourth = numbers
    return first, second, third, fourth
