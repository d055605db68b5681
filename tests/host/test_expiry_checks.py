"""What grows old is said to the host on any day, and fails on none."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from host.doctor import CheckResult, run, run_checks
from host.expiry_checks import helplines_checked_on
from sync.settings import Settings
from tests.support.clock import NOON, ManualClock
from tests.support.http_listener import run_http_listener
from tests.support.servers import HOST
from tests.support.smtp_servers import build_server_tls


def run_check(part: str, settings: Settings, now: datetime) -> CheckResult:
    [finding] = run_checks(settings, [part], clock=ManualClock(now))
    return finding


def months_after(day: date, months: int) -> datetime:
    return datetime.combine(day, time(12), UTC) + timedelta(days=months * 30.4)


def test_helplines_that_were_checked_five_months_ago_are_fresh() -> None:
    checked_on = helplines_checked_on()

    result = run_check("helplines", Settings(), months_after(checked_on, 5))

    assert str(result) == f"ok   helplines     last checked on {checked_on}"


def test_helplines_that_were_checked_seven_months_ago_are_a_warning() -> None:
    checked_on = helplines_checked_on()

    result = run_check("helplines", Settings(), months_after(checked_on, 7))

    assert str(result).startswith("warn helplines ")
    assert f"were last checked on {checked_on}: update Moodmiles" in result.warning


def test_age_alone_fails_no_doctor(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_certificate_until(NOON) as url:
        monkeypatch.setenv("MOODMILES_PUBLIC_URL", url)

        code = run(SimpleNamespace(checks=["certificate"], data_dir=None))

    assert capsys.readouterr().out.startswith("warn certificate ")
    assert code == 0


@contextmanager
def serve_certificate_until(ends_at: datetime) -> Generator[str]:
    """Serve https on loopback, under a certificate that ends then."""
    with run_http_listener(tls=build_server_tls(Path(), ends_at=ends_at)) as server:
        yield server.url


@pytest.mark.parametrize(
    ("remaining", "warning"),
    [
        (timedelta(days=15), "ok   certificate   good until 2026-05-01"),
        (timedelta(days=13), "warn certificate   The certificate of {}: renew it."),
        (timedelta(days=-1), "warn certificate   The certificate of {}: renew it."),
    ],
)
def test_a_certificate_is_to_be_renewed_two_weeks_before_it_ends(
    remaining: timedelta, warning: str
) -> None:
    with serve_certificate_until(NOON) as url:
        result = run_check("certificate", Settings(public_url=url), NOON - remaining)

    verb = "ends" if remaining > timedelta() else "ended"
    address = url.removeprefix("https://")
    assert str(result) == warning.format(f"{address} {verb} on 2026-05-01")


def test_a_certificate_that_cannot_be_seen_from_here_is_a_warning() -> None:
    result = run_check("certificate", Settings(public_url=f"https://{HOST}:1"), NOON)

    assert f"of {HOST}:1 was not seen from this machine" in result.warning


def test_without_https_no_certificate_is_needed() -> None:
    result = run_check("certificate", Settings(public_url=f"http://{HOST}:8000"), NOON)

    assert str(result) == "ok   certificate   none is needed without https"
