"""What stands in data files beside its own translations, not in the catalogue."""

from collections.abc import Iterable
from functools import cache

from sync.support.directory import ANYWHERE, countries, support
from sync.surveys.instruments import library


def is_of_the_core(text: str) -> bool:
    return text.strip(": ") in _texts()


@cache
def _texts() -> set[str]:
    return {" ".join(text.split()) for text in (*_of_instruments(), *_of_support())}


def _of_instruments() -> Iterable[str]:
    for instrument in library().instruments.values():
        yield from (instrument.title, instrument.intro, instrument.credit)
        for question in instrument.questions:
            yield from (question.text, question.hint, *question.choices.values())


def _of_support() -> Iterable[str]:
    for country in (ANYWHERE, *countries()):
        place = support(country)
        yield place.emergency
        for line in place.lines:
            yield from (line.name, line.reach)
