"""The trial of other days: it finds a test that knows the date, and it never ages."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.lab import any_day
from tests.lab.any_day import SuiteDate, list_test_dates, run

pytestmark = pytest.mark.processes

NEXT_YEAR = datetime.now(UTC).year + 1
KNOWS_THE_DATE = f"""
from datetime import date
from subprocess import check_output
from time import sleep

def test_that_ages():
    assert date.today().year < {NEXT_YEAR + 2}

def test_that_lasts():
    sleep(0.01)
    assert check_output(["date", "+%Y"], text=True).strip() == str(date.today().year)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(any_day, "FOLDER", tmp_path)
    return tmp_path


def test_a_test_that_knows_the_date_fails_on_the_day_on_which_it_ages(
    folder: Path,
) -> None:
    file = folder / "test_ages.py"
    file.write_text(KNOWS_THE_DATE)
    arguments = ["-v", "-n", "1", "-p", "no:cacheprovider", str(file)]
    today = SuiteDate("today", datetime.now(UTC))
    later = SuiteDate("later", datetime.now(UTC) + timedelta(days=1200))

    now, then = (run(moment, arguments, is_long=False) for moment in (today, later))

    assert now.is_good, today.file.read_text()
    assert [name.rpartition("::")[2] for name in then.failed] == ["test_that_ages"]
    assert then.counts == {"PASSED": 1, "FAILED": 1}


def test_nothing_ran_is_no_good_sign(folder: Path) -> None:
    moment = SuiteDate("today", datetime.now(UTC))

    result = run(moment, ["-v", "-n", "1", str(folder)], is_long=False)

    assert not result.is_good
    assert "pytest ended with 5" in str(result)


@pytest.mark.parametrize("today", [date(2026, 11, 28), date(2031, 1, 1)])
def test_every_moment_is_still_to_come(today: date) -> None:
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)

    assert all(moment.at > now for moment in list_test_dates(now))


def test_the_clocks_change_when_they_do() -> None:
    at = {m.name: m.at for m in list_test_dates(datetime(2026, 11, 28, 12, tzinfo=UTC))}

    assert at["Europe forward"] == datetime(2027, 3, 28, 0, 59, tzinfo=UTC)
    assert at["Europe back"] == datetime(2027, 10, 31, 0, 59, tzinfo=UTC)
    assert at["US forward"] == datetime(2027, 3, 14, 6, 59, tzinfo=UTC)
    assert at["US back"] == datetime(2027, 11, 7, 5, 59, tzinfo=UTC)
    assert at["leap day"] == datetime(2028, 2, 29, 12, 0, tzinfo=UTC)
    assert at["end of the year"] == datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
