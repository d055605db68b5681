"""Which country's lines to show first: the runner's choice, or a guess that says so."""

from collections.abc import Mapping
from dataclasses import dataclass

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

_SOURCE_TEXTS: Mapping[str, str] = {
    "chosen": translatable("For %(country)s, as you chose in the settings."),
    "zone": translatable("For %(country)s: a guess from your time zone."),
    "language": translatable("For %(country)s: a guess from your browser’s language."),
}


@dataclass(frozen=True, slots=True)
class LocalSupport:
    """The lines to show first; `how` says why these, "" for those of anywhere."""

    lines: CountryHelplines
    country: str
    source: str

    @property
    def is_known(self) -> bool:
        return self.lines.country != ANYWHERE


def find_local_support() -> LocalSupport:
    """Return the lines for whoever looks at this page."""
    code, source = _find_country()
    lines = find_helplines(code)
    if lines.country == ANYWHERE:
        return LocalSupport(lines, "", "")
    name = country_name(lines.country)
    return LocalSupport(lines, name, gettext(_SOURCE_TEXTS[source], country=name))


def list_country_choices() -> dict[str, str]:
    """Return the countries to choose from on the settings page, by their name."""
    names = {code: country_name(code) for code in list_countries()}
    return {
        "": gettext("Guess it"),
        **dict(sorted(names.items(), key=lambda pair: pair[1])),
        ANYWHERE: gettext("Another country"),
    }


def _find_country() -> tuple[str | None, str]:
    runner = current_runner()
    if runner is not None:
        preferred = preferences.load_preferences(runtime(), runner.runner_id).country
        if preferred:
            return preferred, "chosen"
        zone_country = find_zone_country(runner.zone)
        if zone_country:
            return zone_country, "zone"
    return guess_language_country(request.accept_languages.values()), "language"
