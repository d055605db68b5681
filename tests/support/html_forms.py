"""The links and forms of a page, as a browser would follow and send them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from typing_extensions import override

from web.http.csrf import FIELD


@dataclass(frozen=True, slots=True)
class Form:
    """Where a form is sent, and what with when nobody touches it."""

    path: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


def forms_in(html: str, path: str) -> list[Form]:
    return _read(html, path).forms


def links_in(html: str, path: str) -> set[str]:
    """Return the addresses of our own that a page leads to."""
    return {link for link in _read(html, path).links if link.startswith("/")}


def _read(html: str, path: str) -> "_Reader":
    reader = _Reader(path)
    reader.feed(html)
    return reader


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.forms: list[Form] = []
        self._path = path

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        had = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in had:
            self.links.add(self._absolute(had["href"]))
        elif tag == "form":
            to = self._absolute(had.get("action", ""))
            self.forms.append(Form(to, had.get("method", "get").upper()))
        elif tag in {"input", "button", "select", "textarea"} and self.forms:
            self._take(had)

    def _take(self, had: dict[str, str]) -> None:
        name = had.get("name", "")
        if name and name != FIELD and had.get("type") != "file":
            self.forms[-1].fields.setdefault(name, had.get("value", ""))

    def _absolute(self, to: str) -> str:
        parts = urlsplit(urljoin(self._path, to))
        if parts.netloc:
            return parts.geturl()
        return parts._replace(fragment="").geturl()
