"""The texts as the sources hold them, the German ones, and a language of brackets."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import copytree
from typing import cast

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from sync import language
from tests.support.paths import ROOT

OPEN, CLOSE = "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}", "⟧"
# A language that Babel can count and date in, and that we do not speak.
BRACKET_LANGUAGE = "eo"
# The same words as in the Makefile.
_KEYWORDS = {**DEFAULT_KEYWORDS, "translatable": None}


@cache
def extract_source_catalogue() -> Catalog:
    """Return every text that the sources mark, as `make messages` finds them."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    catalogue = Catalog(locale="de", fuzzy=False)
    for _, _, text, comments, context in extract_from_dir(
        str(ROOT),
        methods,
        options,
        keywords=_KEYWORDS,
        directory_filter=_is_source_folder,
    ):
        catalogue.add(text, auto_comments=comments, context=context)
    return catalogue


def read_translation(tongue: str = "de") -> Catalog:
    """Return a translation as its file holds it."""
    with _catalogue_path(tongue, ".po").open("rb") as file:
        return read_po(file, locale=tongue)


def read_compiled(tongue: str = "de") -> bytes:
    return _catalogue_path(tongue, ".mo").read_bytes()


def list_messages(catalogue: Catalog) -> list[Message]:
    """Leave out the entry in which a catalogue speaks about itself."""
    return [message for message in catalogue if message.id]


@contextmanager
def bracketed_language(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Speak English with every text in brackets: what has none escaped."""
    catalogue = Catalog(locale=BRACKET_LANGUAGE, fuzzy=False)
    for message in list_messages(extract_source_catalogue()):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        marked = tuple(f"{OPEN}{text}{CLOSE}" for text in ids)
        translation = marked if message.pluralizable else marked[0]
        catalogue.add(message.id, translation, context=message.context)
    copytree(language.LOCALE_DIR, folder)
    home = folder / BRACKET_LANGUAGE / "LC_MESSAGES"
    home.mkdir(parents=True)
    with (home / f"{language.DOMAIN}.mo").open("wb") as file:
        write_mo(file, catalogue)
    with monkeypatch.context() as patched:
        patched.setattr(language, "LOCALE_DIR", folder)
        patched.setitem(
            cast(dict[str, str], language.LANGUAGES), BRACKET_LANGUAGE, "Esperanto"
        )
        yield
    language.load_translations.cache_clear()


def _catalogue_path(tongue: str, ending: str) -> Path:
    folder = language.LOCALE_DIR / tongue / "LC_MESSAGES"
    return folder / f"{language.DOMAIN}{ending}"


def _is_source_folder(folder: str) -> bool:
    return Path(folder).name not in {"tests", ".git", ".venv", "node_modules"}
