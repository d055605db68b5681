"""`moodmiles doctor`: one line for each part, ok or what to do."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from typing_extensions import override

from host import checks
from host.configuration import effective
from sync.errors import MoodmilesError
from sync.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `advice` is empty when all is well."""

    part: str
    fact: str
    advice: str = ""

    @override
    def __str__(self) -> str:
        if self.advice:
            return f"fix  {self.part:13} {self.advice}"
        return f"ok   {self.part:13} {self.fact}"


# Each check returns what it found, or raises the sentence that says what to do.
CHECKS: tuple[tuple[str, Callable[[Settings], str]], ...] = (
    ("configuration", checks.configuration),
    ("database", checks.database),
    ("Redis", checks.redis),
    ("mail", checks.mail),
    ("Strava", checks.strava),
    ("clock", checks.clock),
    ("work", checks.work),
)


def run(arguments: Namespace) -> int:
    findings = list(examine(effective(arguments)))
    print(*findings, sep="\n")
    return int(any(finding.advice for finding in findings))


def examine(settings: Settings) -> Iterator[Finding]:
    for part, check in CHECKS:
        try:
            yield Finding(part, check(settings))
        except MoodmilesError as error:
            yield Finding(part, "", advice=str(error))
