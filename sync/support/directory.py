"""People to talk to, by country; read from `support.json`.

Words in another language stand there beside the English ones.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path

from babel.core import get_global

from sync.language import spoken

ANYWHERE = "*"
_NOWHERE = "ZZ"  # where UTC lies
_FILE = Path(__file__).with_name("support.json")


@dataclass(frozen=True, slots=True)
class Line:
    """One place to turn to: its name, how to reach it, and a page if it has one."""

    name: str
    reach: str
    url: str | None = None
    reach_in: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Support:
    """Free and confidential lines of one country, or of anywhere.

    `source` is the page that the numbers were compared with on `checked_on`.
    """

    country: str
    emergency: str
    lines: tuple[Line, ...]
    checked_on: date
    source: str
    emergency_in: Mapping[str, str] = field(default_factory=dict)


def support(country: str | None) -> Support:
    """Return the lines of a country (two letters), or those that know them all.

    The country comes from the runner's own settings, or is guessed and said to
    be; the places where they ran are never looked at.
    """
    known = _read()
    return _in_words(known.get((country or "").upper(), known[ANYWHERE]), spoken())


def _in_words(found: Support, language: str) -> Support:
    return replace(
        found,
        emergency=found.emergency_in.get(language, found.emergency),
        lines=tuple(
            replace(line, reach=line.reach_in.get(language, line.reach))
            for line in found.lines
        ),
    )


def countries() -> tuple[str, ...]:
    """List the countries that have lines of their own."""
    return tuple(sorted(set(_read()) - {ANYWHERE}))


def country_of_zone(zone: str) -> str | None:
    """Return the country that a time zone such as Europe/Berlin lies in."""
    own_name = get_global("zone_aliases").get(zone, zone)
    territories = get_global("zone_territories")
    found: str | None = territories.get(zone) or territories.get(own_name)
    return None if found == _NOWHERE else found


def country_of_languages(languages: Iterable[str]) -> str | None:
    """Return the first country that a browser's languages, best first, name."""
    for language in languages:
        _, _, rest = language.replace("_", "-").partition("-")
        last = rest.rpartition("-")[2].upper()
        if len(last) == 2 and last.isalpha():
            return last
    return None


@cache
def _read() -> dict[str, Support]:
    content = json.loads(_FILE.read_text(encoding="utf-8"))
    return {
        country: Support(
            country=country,
            emergency=entry["emergency"],
            emergency_in=entry.get("emergency_in", {}),
            lines=tuple(Line(**line) for line in entry["lines"]),
            checked_on=date.fromisoformat(entry["checked_on"]),
            source=entry["source"],
        )
        for country, entry in content.items()
    }
