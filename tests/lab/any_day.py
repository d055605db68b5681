"""Run the tests on other days: `python -m tests.lab.any_day [--long] [--only NAME]`.

In short, the quick tests at the moments that have broken the most; in full, every
test at every moment.  One line is printed for each moment; what failed, and what
the tests said, lies in `artifacts/any-day/`.  Fails if any test did.
"""

import os
import re
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import monotonic

from typing_extensions import override

from tests.lab.faketime import OFFSET, with_faketime
from tests.support.paths import ROOT

FOLDER = ROOT / "artifacts" / "any-day"
# What `make quick` runs: see tests/support/markers.py.
QUICK = ("-m", "not browser and not postgresql and not processes and not slow")
MINUTE_BEFORE = timedelta(minutes=1)
NOON = time(12)
SUNDAY = 6
GIVEN_UP_AFTER_S = {False: 1800, True: 3 * 3600}
_OUTCOME = re.compile(r"^\[gw\d+\] \[ *\d+%\] (\w+) (.+?) *$", re.MULTILINE)

Fits = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class SuiteDate:
    """A time of day on some day to come; the clock starts there and goes on."""

    name: str
    at: datetime
    is_short: bool = False

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name.replace(' ', '-').replace(':', '')}.log"


@dataclass(frozen=True, slots=True)
class SuiteResult:
    moment: SuiteDate
    counts: Counter[str]
    failed: list[str]
    seconds: float
    error: str

    @property
    def is_good(self) -> bool:
        return not self.failed and not self.error and bool(self.counts["PASSED"])

    @override
    def __str__(self) -> str:
        counts_text = ", ".join(
            f"{n} {word.lower()}" for word, n in self.counts.items()
        )
        arguments = [counts_text or "nothing ran", self.error]
        details = "; ".join(word for word in arguments if word)
        at = f"{self.moment.at:%Y-%m-%d %H:%M}"
        return f"{self.moment.name:22} {at} UTC  {details} ({self.seconds:.0f} s)"


def list_test_dates(now: datetime) -> list[SuiteDate]:
    """List the moments to come that dates and clocks are known to break at."""
    today = now.date()
    days = {f"in {n} days": now + timedelta(days=n) for n in (1, 30, 200, 400)}
    return [
        *(SuiteDate(name, at) for name, at in days.items()),
        SuiteDate("in 1200 days 23:59", _before(today + timedelta(days=1200)), True),
        SuiteDate("leap day", _at(_next(today, _is_leap_day), NOON), True),
        SuiteDate("end of the year", _before(_next(today, _is_new_year)), True),
        SuiteDate("Europe forward", _before(_next(today, _last_sunday(3)), time(1))),
        SuiteDate(
            "Europe back", _before(_next(today, _last_sunday(10)), time(1)), True
        ),
        SuiteDate("US forward", _before(_next(today, _sunday(3, 2)), time(7))),
        SuiteDate("US back", _before(_next(today, _sunday(11, 1)), time(6))),
        SuiteDate("23:59", _before(today + timedelta(days=2))),
        SuiteDate("00:01", _at(today + timedelta(days=2), time(0, 1))),
    ]


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, UTC)


def _before(day: date, clock: time = time()) -> datetime:
    """Return a minute before: the tests run across the boundary."""
    return _at(day, clock) - MINUTE_BEFORE


def _next(today: date, fits: Fits) -> date:
    day = today + timedelta(days=1)
    while not fits(day):
        day += timedelta(days=1)
    return day


def _is_leap_day(day: date) -> bool:
    return (day.month, day.day) == (2, 29)


def _is_new_year(day: date) -> bool:
    return (day.month, day.day) == (1, 1)


def _sunday(month: int, number: int) -> Fits:
    return lambda day: (
        (day.month, day.weekday()) == (month, SUNDAY) and (day.day + 6) // 7 == number
    )


def _last_sunday(month: int) -> Fits:
    return lambda day: (
        (day.month, day.weekday()) == (month, SUNDAY)
        and (day + timedelta(days=7)).month != month
    )


def run(moment: SuiteDate, arguments: Sequence[str], *, is_long: bool) -> SuiteResult:
    """Run the tests, all with their processes, as if it were that moment now."""
    began = monotonic()
    offset_s = (moment.at - datetime.now(UTC)).total_seconds()
    clock = {OFFSET: f"{offset_s:+.0f}"}
    trouble = ""
    with moment.file.open("w") as log:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "pytest", *arguments],
            cwd=ROOT,
            env=with_faketime(os.environ, clock),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(GIVEN_UP_AFTER_S[is_long])
            trouble = "" if code in {0, 1} else f"pytest ended with {code}"
        except subprocess.TimeoutExpired:
            trouble = f"given up after {GIVEN_UP_AFTER_S[is_long]} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    outcomes = _OUTCOME.findall(moment.file.read_text(errors="replace"))
    failed = sorted({name for word, name in outcomes if word in {"FAILED", "ERROR"}})
    counts = Counter(word for word, _ in outcomes)
    return SuiteResult(moment, counts, failed, monotonic() - began, trouble)


def build_arguments(options: Namespace) -> list[str]:
    tests = options.tests or ([] if options.long else QUICK)
    side_by_side = str(min(8, (os.cpu_count() or 1) + 1))
    return [
        *("-v", "--tb=short", "-p", "no:cacheprovider"),
        *("-n", side_by_side, "--dist", "worksteal", *tests),
    ]


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.lab.any_day", description=__doc__)
    parser.add_argument("--long", action="store_true", help="all tests, all moments")
    parser.add_argument("--only", metavar="NAME", help="one moment, by its name")
    parser.add_argument("tests", nargs="*", help="these tests, by pytest's words")
    options = parser.parse_args()
    every = list_test_dates(datetime.now(UTC))
    chosen = [
        moment
        for moment in every
        if (moment.name == options.only if options.only else True)
        and (options.long or options.only or moment.is_short)
    ]
    if not chosen:
        parser.error(f"no such moment; there are {', '.join(m.name for m in every)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    summary = FOLDER / "summary.txt"
    summary.write_text("")
    is_good = True
    for moment in chosen:
        result = run(moment, build_arguments(options), is_long=options.long)
        is_good = is_good and result.is_good
        print(result, flush=True)
        with summary.open("a") as out:
            out.writelines(
                f"{line}\n" for line in [result, *(f"    {n}" for n in result.failed)]
            )
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
