"""What a page says, piece by piece, and what of it stands outside of brackets."""

import json
import re
from html.parser import HTMLParser
from typing import Any

from typing_extensions import override

from tests.support.message_catalogue import CLOSE, OPEN

_LABELS = {"aria-label", "aria-roledescription", "title", "alt", "placeholder"}
_EMPTY = {"area", "br", "hr", "img", "input", "link", "meta", "path"}
# Lists of data: names of time zones and countries.
_DATA = {"zone", "country"}
_WORD = re.compile(r"[^\W\d_]{2,}")


class PageTextParser(HTMLParser):
    """Gathers the texts and labels of a page, and what its script will say."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.text = ""
        self._kind = ""
        self._is_data = False

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.text += "\n"
        self.labels += [attributes[name] for name in _LABELS & set(attributes)]
        if attributes.get("name") == "description":
            self.labels.append(attributes["content"])
        if "data-words" in attributes:
            self.labels += strings_in(json.loads(attributes["data-words"]))
        if tag not in _EMPTY:
            self._kind = attributes.get("type", tag)
        if tag == "select":
            self._is_data = attributes.get("name") in _DATA

    @override
    def handle_endtag(self, tag: str) -> None:
        self.text += "\n"
        self._kind = ""
        self._is_data = self._is_data and tag != "select"

    @override
    def handle_data(self, data: str) -> None:
        if self._kind == "application/json":
            self.labels += strings_in(json.loads(data))
        elif self._kind != "style" and not self._is_data:
            self.text += data


def strings_in(values: Any) -> list[str]:
    if isinstance(values, str):
        return [values]
    if isinstance(values, dict):
        return strings_in(list(values.values()))
    if isinstance(values, list):
        return [text for value in values for text in strings_in(value)]
    return []


def find_unbracketed(page: str) -> list[str]:
    """List the texts of a page, or parts of them, that no brackets enclose."""
    parser = PageTextParser()
    parser.feed(page)
    texts = [
        *map(_remove_bracketed, parser.labels),
        *_remove_bracketed(parser.text).split("\n"),
    ]
    return [" ".join(text.split()) for text in texts if _WORD.search(text)]


def find_words(text: str) -> set[str]:
    return set(_WORD.findall(text))


def _remove_bracketed(text: str) -> str:
    """Leave out all that is in brackets; they may stand in one another."""
    depth, outside_text = 0, ""
    for character in text:
        depth += (character == OPEN) - (character == CLOSE)
        outside_text += character if depth == 0 and character != CLOSE else ""
    return outside_text
