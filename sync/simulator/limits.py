"""Strava's request limits: wall-clock quarters of an hour and days that end at UTC."""

from dataclasses import replace

from sync.simulator.records import Limits, Usage

DAY_S = 86_400


def reset_expired_windows(usage: Usage, limits: Limits, now_s: int) -> Usage:
    """Start a count again when its window is over."""
    quarter, day = now_s // limits.quarter_s, now_s // DAY_S
    if usage.quarter != quarter:
        usage = replace(usage, quarter=quarter, quarter_used=0)
    if usage.day != day:
        usage = replace(usage, day=day, day_used=0)
    return usage


def add_call(usage: Usage, limits: Limits, now_s: int) -> Usage:
    """Add a call, refused ones too: at Strava they use up the day all the same."""
    usage = reset_expired_windows(usage, limits, now_s)
    return replace(
        usage, quarter_used=usage.quarter_used + 1, day_used=usage.day_used + 1
    )


def is_exceeded(usage: Usage, limits: Limits) -> bool:
    """Return whether the call just counted was one too many.

    Every call served here is a read, so both pairs of limits see the same usage.
    """
    return usage.quarter_used > min(
        limits.quarter, limits.read_quarter
    ) or usage.day_used > min(limits.day, limits.read_day)


def build_headers(usage: Usage, limits: Limits) -> dict[str, str]:
    usage_text = f"{usage.quarter_used},{usage.day_used}"
    return {
        "X-Ratelimit-Limit": f"{limits.quarter},{limits.day}",
        "X-Ratelimit-Usage": usage_text,
        "X-Readratelimit-Limit": f"{limits.read_quarter},{limits.read_day}",
        "X-Readratelimit-Usage": usage_text,
    }
