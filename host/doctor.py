"""`moodmiles doctor`: one line for each part, with its fact or with an instruction.

Outdated data and an unencrypted line to another machine give a warning, which does
not make the command fail.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace

from typing_extensions import override

from host import checks, expiry_checks, keys
from host.commands import CHECKS
from host.configuration import load_effective_settings
from host.errors import Unencrypted
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
            return f"fix  {self.part:13} {self.advice}"
        if self.warning:
            return f"warn {self.part:13} {self.warning}"
        return f"ok   {self.part:13} {self.fact}"


# Each check returns a fact, or raises an error whose text is the instruction.
_CHECKS: dict[str, Callable[[Settings], str]] = {
    "configuration": checks.check_configuration,
    "database": checks.check_database,
    "keys": keys.check_keys,
    "redis": checks.check_redis,
    "mail": checks.check_mail,
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
    settings = load_effective_settings(arguments)
    results = list(run_checks(settings, arguments.checks or CHECKS))
    print(*results, sep="\n")
    return int(any(result.advice for result in results))


def run_checks(
    settings: Settings, parts: Iterable[str] = CHECKS, *, clock: Clock = utc_now
) -> Iterator[CheckResult]:
    for part in parts:
        try:
            if part in _EXPIRY_CHECKS:
                yield CheckResult(part, _EXPIRY_CHECKS[part](settings, clock()))
            else:
                yield CheckResult(part, _CHECKS[part](settings))
        except (Outdated, Unencrypted) as warning:
            yield CheckResult(part, warning=str(warning))
        except MoodmilesError as error:
            yield CheckResult(part, advice=str(error))
