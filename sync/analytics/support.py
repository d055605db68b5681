"""People to talk to, by country; read from `support.json`."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

ANYWHERE = "*"
FRESH_DAYS = 180
_FILE = Path(__file__).with_name("support.json")


@dataclass(frozen=True, slots=True)
class Line:
    """One place to turn to: its name, how to reach it, and a page if it has one."""

    name: str
    reach: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Support:
    """Free and confidential lines of one country, or of anywhere."""

    country: str
    emergency: str
    lines: tuple[Line, ...]
    checked_on: date


def support(country: str | None) -> Support:
    """Return the lines of a country (two letters), or those that know them all.

    The country comes from the runner's own settings, never from where they ran.
    """
    known = _read()
    return known.get((country or "").upper(), known[ANYWHERE])


def countries() -> tuple[str, ...]:
    """List the countries that have lines of their own."""
    return tuple(sorted(set(_read()) - {ANYWHERE}))


@cache
def _read() -> dict[str, Support]:
    content = json.loads(_FILE.read_text(encoding="utf-8"))
    return {
        country: Support(
            country=country,
            emergency=entry["emergency"],
            lines=tuple(Line(**line) for line in entry["lines"]),
            checked_on=date.fromisoformat(entry["checked_on"]),
        )
        for country, entry in content.items()
    }
