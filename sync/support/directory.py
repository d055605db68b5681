"""People to talk to, by country, from `support.json`.

The file has texts in other languages beside the English ones.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path

from babel.core import get_global

from sync.language import current_language

ANYWHERE = "*"
_UNKNOWN_TERRITORY = "ZZ"  # where UTC lies
_FILE = Path(__file__).with_name("support.json")


@dataclass(frozen=True, slots=True)
class Helpline:
    """One place to turn to: its name, how to reach it, and a page if it has one."""

    name: str
    reach: str
    url: str | None = None
    reach_in: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CountryHelplines:
    """Free and confidential lines of one country, or of anywhere.

    `source` is the page that the numbers were compared with on `checked_on`.
    """

    country: str
    emergency: str
    lines: tuple[Helpline, ...]
    checked_on: date
    source: str
    emergency_in: Mapping[str, str] = field(default_factory=dict)


def find_helplines(country: str | None) -> CountryHelplines:
    """Return the lines of a country (two letters), or those that know them all.

    The country comes from the runner's own settings, or is guessed and marked as a
    guess; the places of their runs are never read.
    """
    by_country = _load_helplines()
    helplines = by_country.get((country or "").upper(), by_country[ANYWHERE])
    language = current_language()
    return replace(
        helplines,
        emergency=helplines.emergency_in.get(language, helplines.emergency),
        lines=tuple(
            replace(line, reach=line.reach_in.get(language, line.reach))
            for line in helplines.lines
        ),
    )


def list_countries() -> tuple[str, ...]:
    """List the countries that have lines of their own."""
    return tuple(sorted(set(_load_helplines()) - {ANYWHERE}))


def find_zone_country(zone: str) -> str | None:
    """Return the country that a time zone such as Europe/Berlin lies in."""
    canonical_name = get_global("zone_aliases").get(zone, zone)
    territories = get_global("zone_territories")
    country: str | None = territories.get(zone) or territories.get(canonical_name)
    return None if country == _UNKNOWN_TERRITORY else country


def guess_language_country(languages: Iterable[str]) -> str | None:
    """Return the first country that a browser's languages, best first, name."""
    for language in languages:
        _, _, subtags = language.replace("_", "-").partition("-")
        region = subtags.rpartition("-")[2].upper()
        if len(region) == 2 and region.isalpha():
            return region
    return None


@cache
def _load_helplines() -> dict[str, CountryHelplines]:
    content = json.loads(_FILE.read_text(encoding="utf-8"))
    return {
        country: CountryHelplines(
            country=country,
            emergency=entry["emergency"],
            emergency_in=entry.get("emergency_in", {}),
            lines=tuple(Helpline(**line) for line in entry["lines"]),
            checked_on=date.fromisoformat(entry["checked_on"]),
            source=entry["source"],
        )
        for country, entry in content.items()
    }
