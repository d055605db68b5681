"""Which country's lines to show first: the runner's choice, or a guess that says so."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request

from sync.language import gettext, translatable
from sync.runners import preferences
from sync.support.directory import (
    ANYWHERE,
    Support,
    countries,
    country_of_languages,
    country_of_zone,
    support,
)
from web.formats import country
from web.http.session import current_runner
from web.runtime import runtime

_HOW: Mapping[str, str] = {
    "chosen": translatable("For %(country)s, as you chose in the settings."),
    "zone": translatable("For %(country)s: a guess from your time zone."),
    "language": translatable("For %(country)s: a guess from your browser’s language."),
}


@dataclass(frozen=True, slots=True)
class Nearby:
    """The lines to show first; `how` says why these, "" for those of anywhere."""

    lines: Support
    country: str
    how: str

    @property
    def is_known(self) -> bool:
        return self.lines.country != ANYWHERE


def nearby() -> Nearby:
    """Return the lines for whoever looks at this page."""
    code, how = _country()
    lines = support(code)
    if lines.country == ANYWHERE:
        return Nearby(lines, "", "")
    name = country(lines.country)
    return Nearby(lines, name, gettext(_HOW[how], country=name))


def choices() -> dict[str, str]:
    """Return the countries to choose from on the settings page, by their name."""
    named = {code: country(code) for code in countries()}
    return {
        "": gettext("Guess it"),
        **dict(sorted(named.items(), key=lambda pair: pair[1])),
        ANYWHERE: gettext("Another country"),
    }


def _country() -> tuple[str | None, str]:
    runner = current_runner()
    if runner is not None:
        chosen = preferences.preferences(runtime(), runner.runner_id).country
        if chosen:
            return chosen, "chosen"
        by_zone = country_of_zone(runner.zone)
        if by_zone:
            return by_zone, "zone"
    return country_of_languages(request.accept_languages.values()), "language"
