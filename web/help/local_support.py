"""The country whose helplines come first: the runner's choice, or a marked guess."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from flask import request

from sync.language import gettext, translatable
from sync.runners import preferences
from sync.support.directory import (
    ANYWHERE,
    CountryHelplines,
    find_helplines,
    find_zone_country,
    guess_language_country,
    list_countries,
)
from web.formats import country_name
from web.http.session import current_runner
from web.runtime import runtime

CountrySource = Literal["chosen", "zone", "language"]
_SOURCE_TEXTS: Mapping[CountrySource, str] = {
    "chosen": translatable("For %(country)s, as you chose in the settings."),
    "zone": translatable("For %(country)s: a guess from your time zone."),
    "language": translatable("For %(country)s: a guess from your browser’s language."),
}


@dataclass(frozen=True, slots=True)
class CountryChoice:
    """A country's code, None where there is no hint, and where it comes from."""

    code: str | None
    source: CountrySource


@dataclass(frozen=True, slots=True)
class LocalSupport:
    """The lines to show first; `source` says why these, "" for international ones."""

    lines: CountryHelplines
    country: str
    source: str

    @property
    def is_known(self) -> bool:
        return self.lines.country != ANYWHERE


def find_local_support() -> LocalSupport:
    """Return the lines for the visitor of this page."""
    choice = choose_country()
    lines = find_helplines(choice.code)
    if lines.country == ANYWHERE:
        return LocalSupport(lines, "", "")
    name = country_name(lines.country)
    source = gettext(_SOURCE_TEXTS[choice.source], country=name)
    return LocalSupport(lines, name, source)


def list_country_choices() -> dict[str, str]:
    """Return the countries to choose from on the settings page, by their name."""
    names = {code: country_name(code) for code in list_countries()}
    return {
        "": gettext("Guess it"),
        **dict(sorted(names.items(), key=lambda pair: pair[1])),
        ANYWHERE: gettext("Another country"),
    }


def choose_country() -> CountryChoice:
    """Return the runner's choice, else a guess by time zone, else by language."""
    runner = current_runner()
    if runner is not None:
        preferred = preferences.load_preferences(runtime(), runner.runner_id).country
        if preferred:
            return CountryChoice(preferred, "chosen")
        zone_country = find_zone_country(runner.zone)
        if zone_country:
            return CountryChoice(zone_country, "zone")
    return CountryChoice(
        guess_language_country(request.accept_languages.values()), "language"
    )
