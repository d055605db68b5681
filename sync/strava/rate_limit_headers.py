"""What Strava's headers say about its limits: pure."""

from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime

from sync.strava.rate_limit_windows import NO_COUNTS, LedgerEntry, LimitCounts


def parse_headers(headers: Mapping[str, str], *, refused: bool = False) -> LedgerEntry:
    """Read both pairs of counts; what is absent or odd counts as not said."""
    lower_headers = {name.lower(): value for name, value in headers.items()}
    entry = LedgerEntry(
        used=_parse_counts(lower_headers, "usage"),
        limits=_parse_counts(lower_headers, "limit"),
        refused=refused,
    )
    if refused or entry.used != NO_COUNTS or entry.limits != NO_COUNTS:
        return replace(
            entry, reported_at_ms=_parse_date_ms(lower_headers.get("date", ""))
        )
    return entry


def _parse_counts(lower_headers: Mapping[str, str], kind: str) -> LimitCounts:
    overall = _parse_pair(lower_headers.get(f"x-ratelimit-{kind}", ""))
    read = _parse_pair(lower_headers.get(f"x-readratelimit-{kind}", ""))
    return overall[0], read[0], overall[1], read[1]


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
