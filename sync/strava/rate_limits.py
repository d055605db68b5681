"""Strava's rate limits as its headers report them and as we remember them: pure.

Strava counts per quarter of an hour on the wall clock and per UTC day, all requests
and, apart from that, the reading ones.  All of ours read.  `budget.lua` holds the
rule that decides about a request; `local_budget.py` stands in for it without Redis.
Times are whole milliseconds since 1970.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import NamedTuple

from sync.strava.api import Lane

QUARTER_MS = 900_000
DAY_MS = 86_400_000


class LimitCounts(NamedTuple):
    """One number for each of Strava's four limits."""

    quarter_overall: int
    quarter_read: int
    day_overall: int
    day_read: int


NO_COUNTS = LimitCounts(0, 0, 0, 0)
WINDOW_LENGTHS_MS = LimitCounts(QUARTER_MS, QUARTER_MS, DAY_MS, DAY_MS)
# What Strava grants to a new app, until its own headers say more.
NEW_APP_LIMITS = LimitCounts(200, 100, 2000, 1000)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Requests used in one quarter and one day, named by their numbers since 1970."""

    quarter: int = 0
    day: int = 0
    used: LimitCounts = NO_COUNTS
    limits: LimitCounts = NEW_APP_LIMITS
    paused_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What Strava's headers say; a count of 0 says nothing, as does a time of 0."""

    at_ms: int = 0
    used: LimitCounts = NO_COUNTS
    limits: LimitCounts = NO_COUNTS


class Action(StrEnum):
    READ = "read"
    TAKE = "take"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Step:
    """One question to the ledger, with the names under which `budget.lua` reads it.

    `lane` counts for `TAKE` alone, `taken_at_ms` for `REFUND` alone.  `sharer_id` is
    the runner whose share the request takes, or 0 for one that takes nobody's.
    `refused` is true if Strava answered 429.
    """

    action: Action = Action.READ
    lane: Lane = Lane.WAITING
    taken_at_ms: int = 0
    sharer_id: int = 0
    report: Report = Report()
    refused: bool = False


@dataclass(frozen=True, slots=True)
class StepResult:
    """The ledger after a step; `wait_until_ms` is 0 if the request is granted."""

    wait_until_ms: int
    now_ms: int
    ledger: Ledger

    @classmethod
    def parse(cls, answer: str) -> "StepResult":
        """Read an answer of `budget.lua`."""
        fields = json.loads(answer)
        ledger = fields["ledger"]
        return cls(
            wait_until_ms=fields["wait_until_ms"],
            now_ms=fields["now_ms"],
            ledger=Ledger(
                quarter=ledger["quarter"],
                day=ledger["day"],
                used=LimitCounts(*ledger["used"]),
                limits=LimitCounts(*ledger["limits"]),
                paused_until_ms=ledger["paused_until_ms"],
            ),
        )


def window_end_ms(at_ms: int, length_ms: int) -> int:
    """Return when the window around a moment ends."""
    return (at_ms // length_ms + 1) * length_ms


def parse_headers(headers: Mapping[str, str]) -> Report:
    """Read both pairs of counts; absent and odd ones say nothing."""
    lower_headers = {name.lower(): value for name, value in headers.items()}
    return Report(
        at_ms=_parse_date_ms(lower_headers.get("date", "")),
        used=_parse_counts(lower_headers, "usage"),
        limits=_parse_counts(lower_headers, "limit"),
    )


def _parse_counts(lower_headers: Mapping[str, str], kind: str) -> LimitCounts:
    overall = _parse_pair(lower_headers.get(f"x-ratelimit-{kind}", ""))
    read = _parse_pair(lower_headers.get(f"x-readratelimit-{kind}", ""))
    return LimitCounts(overall[0], read[0], overall[1], read[1])


def _parse_pair(text: str) -> tuple[int, int]:
    quarter, _, day = text.partition(",")
    try:
        return max(0, int(quarter)), max(0, int(day))
    except ValueError:
        return 0, 0


def _parse_date_ms(text: str) -> int:
    try:
        return int(parsedate_to_datetime(text).timestamp() * 1000)
    except (ValueError, TypeError):
        return 0
