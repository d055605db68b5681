"""Moments, spans and distances as the mails say them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sync.mail.formatting import (
    format_distance,
    format_duration,
    format_moment,
    format_occasion,
)
from sync.vocabulary import DistanceUnit
from tests.sync.mail.test_messages import NOW

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("started", "now", "expected"),
    [
        ("2026-11-21 04:10", "2026-11-21 08:00", "this morning"),
        ("2026-11-21 11:59", "2026-11-21 12:40", "this morning"),
        ("2026-11-21 12:00", "2026-11-21 13:00", "this afternoon"),
        ("2026-11-21 17:00", "2026-11-21 18:00", "this evening"),
        ("2026-11-20 21:00", "2026-11-21 07:00", "last night"),
        ("2026-11-21 00:30", "2026-11-21 07:00", "last night"),
        ("2026-11-20 16:00", "2026-11-21 07:00", "yesterday afternoon"),
        ("2026-11-20 01:00", "2026-11-21 00:10", "yesterday"),
        ("2026-11-19 20:00", "2026-11-21 07:00", None),
    ],
)
def test_occasion(started: str, now: str, expected: str | None) -> None:
    local = [datetime.fromisoformat(at).replace(tzinfo=LONDON) for at in (started, now)]

    assert format_occasion(local[0], now=local[1], zone="Europe/London") == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("America/New_York", "Sat 21 Nov, 04:48"),
        ("Pacific/Auckland", "Sat 21 Nov, 22:48"),
        ("UTC", "Sat 21 Nov, 09:48 UTC"),
        ("Mars/Base", "Sat 21 Nov, 09:48 UTC"),
        ("../etc/passwd", "Sat 21 Nov, 09:48 UTC"),
        ("", "Sat 21 Nov, 09:48 UTC"),
    ],
)
def test_moment_is_the_runners_own_clock(zone: str, expected: str) -> None:
    assert format_moment(NOW, zone=zone) == expected


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (timedelta(seconds=-5), "1 minute"),
        (timedelta(minutes=14, seconds=58), "15 minutes"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=3), "3 hours"),
        (timedelta(days=2) - timedelta(seconds=3), "2 days"),
    ],
)
def test_span(time: timedelta, expected: str) -> None:
    assert format_duration(time) == expected


def test_distance() -> None:
    assert format_distance(8_230.4, units=DistanceUnit.KM) == "8.2 km"
    assert format_distance(8_230.4, units=DistanceUnit.MI) == "5.1 mi"
