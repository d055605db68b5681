"""The links and forms of a page, as a browser would follow and send them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from typing_extensions import override

from web.http.csrf import FIELD_NAME


@dataclass(frozen=True, slots=True)
class HtmlForm:
    """Where a form is sent, and what with when nobody touches it."""

    path: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


def read_forms(html: str, path: str) -> list[HtmlForm]:
    return _read(html, path).forms


def read_links(html: str, path: str) -> set[str]:
    """Return the addresses of our own that a page leads to."""
    return {link for link in _read(html, path).links if link.startswith("/")}


def _read(html: str, path: str) -> "_FormReader":
    reader = _FormReader(path)
    reader.feed(html)
    return reader


class _FormReader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.forms: list[HtmlForm] = []
        self._path = path

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in attributes:
            self.links.add(self._absolute(attributes["href"]))
        elif tag == "form":
            url = self._absolute(attributes.get("action", ""))
            self.forms.append(HtmlForm(url, attributes.get("method", "get").upper()))
        elif tag in {"input", "button", "select", "textarea"} and self.forms:
            self._add_field(attributes)

    def _add_field(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "")
        if name and name != FIELD_NAME and attributes.get("type") != "file":
            self.forms[-1].fields.setdefault(name, attributes.get("value", ""))

    def _absolute(self, url: str) -> str:
        parts = urlsplit(urljoin(self._path, url))
        if parts.netloc:
            return parts.geturl()
        return parts._replace(fragment="").geturl()
