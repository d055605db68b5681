"""Reading Strava's rate-limit headers."""

import pytest

from sync.strava.rate_limits import LimitCounts, Report, parse_headers


def test_headers_are_read_whatever_their_case() -> None:
    headers = {
        "X-Ratelimit-Limit": "200,2000",
        "x-ratelimit-usage": "70,303",
        "X-READRATELIMIT-LIMIT": "100,1000",
        "X-ReadRateLimit-Usage": "60,300",
        "Date": "Sat, 18 Oct 2025 09:14:59 GMT",
    }

    assert parse_headers(headers) == Report(
        at_ms=1_760_778_899_000,
        used=LimitCounts(70, 60, 303, 300),
        limits=LimitCounts(200, 100, 2000, 1000),
    )


@pytest.mark.parametrize("odd", ["", "many", "1", "1,2,3", "-5,-5", "0,0"])
def test_odd_headers_say_nothing(odd: str) -> None:
    headers = {"X-RateLimit-Usage": odd, "X-RateLimit-Limit": odd, "Date": odd}

    assert parse_headers(headers) == Report()
