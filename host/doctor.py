"""`moodmiles doctor`: one line for each part, ok or what to do.

What only grows old is a warning: it is said, and the command succeeds all the same.
"""

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from typing_extensions import override

from host import checks, expiry_checks, keys
from host.commands import CHECKS
from host.configuration import effective
from host.errors import WrongUse
from host.expiry_checks import Outdated
from sync.clock import Clock, utc_now
from sync.errors import MoodmilesError
from sync.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; without `advice` and `warning` all is well."""

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


# Each check returns what it found, or raises the sentence that says what to do.
_CHECKS: dict[str, Callable[[Settings], str]] = {
    "configuration": checks.configuration,
    "database": checks.database,
    "keys": keys.check,
    "redis": checks.redis,
    "mail": checks.mail,
    "strava": checks.strava,
    "limits": checks.limits,
    "clock": checks.clock,
    "work": checks.work,
}
# What grows old is held against the day on which it is looked at.
_AGEING: dict[str, Callable[[Settings, datetime], str]] = {
    "helplines": expiry_checks.helplines,
    "certificate": expiry_checks.certificate,
}


def run(arguments: Namespace) -> int:
    wanted = arguments.checks or CHECKS
    for name in wanted:
        if name not in CHECKS:
            near = get_close_matches(name, CHECKS, n=1, cutoff=0)[0]
            raise WrongUse(f"Unknown check {name!r}; did you mean {near!r}?")
    findings = list(examine(effective(arguments), wanted))
    print(*findings, sep="\n")
    return int(any(finding.advice for finding in findings))


def examine(
    settings: Settings, parts: Iterable[str] = CHECKS, *, clock: Clock = utc_now
) -> Iterator[Finding]:
    for part in parts:
        try:
            yield Finding(part, _fact(settings, part, clock))
        except Outdated as age:
            yield Finding(part, warning=str(age))
        except MoodmilesError as error:
            yield Finding(part, advice=str(error))


def _fact(settings: Settings, part: str, clock: Clock) -> str:
    if part in _AGEING:
        return _AGEING[part](settings, clock())
    return _CHECKS[part](settings)
