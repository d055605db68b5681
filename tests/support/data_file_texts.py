"""What stands in data files beside its own translations, not in the catalogue."""

from collections.abc import Iterable
from functools import cache

from sync.support.directory import ANYWHERE, find_helplines, list_countries
from sync.surveys.instruments import load_library


def is_data_file_text(text: str) -> bool:
    return text.strip(": ") in _data_file_texts()


@cache
def _data_file_texts() -> set[str]:
    return {
        " ".join(text.split()) for text in (*_instrument_texts(), *_support_texts())
    }


def _instrument_texts() -> Iterable[str]:
    for instrument in load_library().instruments.values():
        yield from (instrument.title, instrument.intro, instrument.credit)
        for question in instrument.questions:
            yield from (question.text, question.hint, *question.choices.values())


def _support_texts() -> Iterable[str]:
    for country in (ANYWHERE, *list_countries()):
        helplines = find_helplines(country)
        yield helplines.emergency
        for line in helplines.lines:
            yield from (line.name, line.reach)
