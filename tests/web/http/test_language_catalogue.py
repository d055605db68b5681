"""The German texts are complete, current and compiled, and keep to plain words."""

import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo

from tests.support.message_catalogue import (
    extract_source_catalogue,
    list_messages,
    read_compiled,
    read_translation,
)
from tests.sync.analytics.test_claim_wording import find_forbidden_german

GERMAN = list_messages(read_translation())
TEMPLATES = sorted(Path("web/templates").rglob("*.html"))
NAMES = {"Moodmiles", "Strava"}
_MARKED = re.compile(
    r"\{#.*?#\}|\{% *trans .*?endtrans *%\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL
)
_LABEL = re.compile(
    r' (?:aria-label|aria-roledescription|title|alt|placeholder)="([^"]*)"'
)
_PLACE = re.compile(r"%\(\w+\)[a-z]|%%|(?<!\$)\{\w*\}|</?\w+[^>]*>")


def list_forms(text: str | Iterable[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ("",))


def list_pairs(catalogue: Catalog) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return sorted(
        (list_forms(message.id), list_forms(message.string))
        for message in list_messages(catalogue)
    )


def test_every_text_of_the_sources_is_in_the_catalogue_and_no_other() -> None:
    marked = {
        (message.context, message.id)
        for message in list_messages(extract_source_catalogue())
    }
    kept = {(message.context, message.id) for message in GERMAN}

    assert kept - marked == set()
    assert marked - kept == set()  # run `make messages`, then translate


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_a_template_holds_no_text_that_is_not_marked(path: Path) -> None:
    unmarked = _MARKED.sub("", path.read_text(encoding="utf-8"))
    labels = " ".join(_LABEL.findall(unmarked))
    text = re.sub(r'<[^>]*>|[\w-]+="[^"]*"', " ", unmarked)

    assert set(re.findall(r"[^\W\d_]{2,}", f"{text} {labels}")) <= NAMES


def test_every_text_is_translated() -> None:
    empty = [message.id for message in GERMAN if "" in list_forms(message.string)]
    unsure = [message.id for message in GERMAN if message.fuzzy]

    assert empty == []
    assert unsure == []


def test_a_translation_keeps_what_is_filled_in() -> None:
    torn = [
        said
        for message in GERMAN
        for original, said in zip(
            list_forms(message.id), list_forms(message.string), strict=True
        )
        if sorted(_PLACE.findall(said)) != sorted(_PLACE.findall(original))
    ]

    assert torn == []


def test_the_compiled_file_holds_the_same_texts() -> None:
    anew = BytesIO()
    write_mo(anew, read_translation())
    anew.seek(0)
    fresh, kept = read_mo(anew), read_mo(BytesIO(read_compiled()))

    assert list_pairs(kept) == list_pairs(fresh)


def test_no_translation_claims_more_than_it_can_know() -> None:
    found = {
        said: find_forbidden_german(said)
        for message in GERMAN
        for said in list_forms(message.string)
    }

    assert {said: words for said, words in found.items() if words} == {}


def test_the_reader_is_called_du() -> None:
    formal = re.compile(r"\b(Ihnen|Ihr(e|em|en|er|es)?)\b")

    said = [text for message in GERMAN for text in list_forms(message.string)]

    assert [text for text in said if formal.search(text)] == []
