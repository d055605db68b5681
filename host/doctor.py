"""`moodmiles doctor`: one line for each part, with its fact or with an instruction.

Outdated data and an unencrypted line to another machine give a warning, which does
not make the command fail.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace

from typing_extensions import override

from host import broker_check, checks, expiry_checks, keys, mail_check
from host.checked_settings import CheckedSettings, load_for_checks
from host.commands import CHECKS
from host.errors import Unencrypted, describe_unforeseen, to_one_line
from host.expiry_checks import Outdated
from sync.clock import Clock, utc_now
from sync.errors import MoodmilesError
from sync.settings import Settings


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check; it has passed without `advice` and `warning`."""

    part: str
    fact: str = ""
    advice: str = ""
    warning: str = ""

    @override
    def __str__(self) -> str:
        if self.advice:
            return f"fix  {self.part:13} {to_one_line(self.advice)}"
        if self.warning:
            return f"warn {self.part:13} {to_one_line(self.warning)}"
        return f"ok   {self.part:13} {to_one_line(self.fact)}"


# Each check returns a fact, or raises an error whose text is the instruction.
_CHECKS: dict[str, Callable[[Settings], str]] = {
    "configuration": checks.check_configuration,
    "database": checks.check_database,
    "keys": keys.check_keys,
    "disk": checks.check_disk,
    "redis": broker_check.check_redis,
    "schedule": broker_check.check_schedule,
    "workers": broker_check.check_workers,
    "mail": mail_check.check_mail,
    "strava": checks.check_strava,
    "signatures": checks.check_signatures,
    "limits": checks.check_limits,
    "clock": checks.check_clock,
    "work": checks.check_work,
    "parts": checks.check_parts,
}
# These compare a date with the day of the check.
_EXPIRY_CHECKS: dict[str, Callable[[Settings, datetime], str]] = {
    "helplines": expiry_checks.check_helplines,
    "certificate": expiry_checks.check_certificate,
}


def run(arguments: SimpleNamespace) -> int:
    checked = load_for_checks(arguments)
    parts = list(arguments.checks or CHECKS)
    if checked.problem and "configuration" not in parts:
        parts.insert(0, "configuration")
    results = []
    for part in parts:
        result = run_check(checked, part)
        print(result, flush=True)
        results.append(result)
    return int(any(result.advice for result in results))


def run_checks(
    settings: Settings, parts: Iterable[str] = CHECKS, *, clock: Clock = utc_now
) -> Iterator[CheckResult]:
    for part in parts:
        yield run_check(CheckedSettings(settings), part, clock=clock)


def run_check(
    checked: CheckedSettings, part: str, *, clock: Clock = utc_now
) -> CheckResult:
    """Make one check; whatever it meets becomes one line, so that the next is made."""
    problem = checked.problem if part == "configuration" else ""
    advice = problem or checked.reason_to_skip(part)
    if advice or checked.settings is None:
        return CheckResult(part, advice=advice)
    try:
        if part in _EXPIRY_CHECKS:
            return CheckResult(part, _EXPIRY_CHECKS[part](checked.settings, clock()))
        return CheckResult(part, _CHECKS[part](checked.settings))
    except (Outdated, Unencrypted) as warning:
        return CheckResult(part, warning=str(warning))
    except MoodmilesError as error:
        advice = str(error)
    # A fault that nobody foresaw must not hide what the other checks find.
    except Exception as error:  # noqa: BLE001
        advice = describe_unforeseen(error)
    return CheckResult(part, advice=advice)
