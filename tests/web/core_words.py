"""The core's own sentences and questions, told apart from the words of the pages."""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from sync.analytics.sentences import NOTES, SENTENCES, TITLES
from sync.analytics.support import ANYWHERE, countries, support
from sync.surveys.explain import _WITHHELD, why
from sync.surveys.instruments import library

_FILLED_IN = re.compile(r"\\\{[^}]*\\\}")
_CLAUSE = re.compile(r"(?<=\.) |: (?=[A-Z])")


def is_of_the_core(text: str) -> bool:
    return any(known.fullmatch(text.strip(": ")) for known in _patterns())


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(one) for text in _texts() for one in _ways(text))


def _ways(text: str) -> Iterator[str]:
    """Give a sentence whole, and its first clause and the rest apart."""
    plain = " ".join(text.split())
    for part in {plain, *_CLAUSE.split(plain, maxsplit=1)}:
        yield _FILLED_IN.sub(".+", re.escape(part.rstrip("."))) + r"\.?"


def _texts() -> Iterable[str]:
    for table in (NOTES, SENTENCES, TITLES):
        yield from table.values()
    yield from (why("withhold", reason, 900) for reason in _WITHHELD)
    yield from (why("send", reason) for reason in ("", "next morning"))
    for instrument in library().instruments.values():
        yield from (instrument.title, instrument.intro, instrument.credit)
        for question in instrument.questions:
            yield from (question.text, question.hint, *question.choices.values())
    for country in (ANYWHERE, *countries()):
        place = support(country)
        yield place.emergency
        for line in place.lines:
            yield from (line.name, line.reach)
