"""Who may open which address: every route is placed here, or a test says so."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote

from flask import Flask
from werkzeug.routing import Rule

# open:  the same for everybody, about nobody
# own:   signed in, and then about oneself alone
# link:  whoever holds the link that was mailed or bookmarked
# host:  for Strava, probes, or the host's own machine
Place: TypeAlias = Literal["open", "own", "link", "host"]

PLACES: Mapping[str, Place] = {
    "before": "link",
    "connect": "open",
    "consents": "own",
    "dashboard": "own",
    "email": "own",
    "email.confirm": "link",
    "email.confirm_page": "link",
    "exporting": "own",
    "health": "host",
    "help": "open",
    "hooks": "host",
    "landing": "open",
    "leaving": "own",
    "login": "open",
    "login.link_page": "link",
    "login.redeem": "link",
    "mailbox": "host",
    "offline": "open",
    "privacy": "open",
    "runs": "own",
    "settings": "own",
    "signins": "own",
    "states": "host",
    "static": "open",
    "staying": "link",
    "survey": "link",
    "unsubscribe": "link",
    "wellbeing": "own",
}

# A link opens its own door by design, to whoever got the mail; none other.
KEYS: Mapping[str, str] = {
    "before": "before token",
    "email": "confirm token",
    "survey": "survey token",
    "unsubscribe": "unsubscribe token",
}


@dataclass(frozen=True, slots=True)
class Address:
    """One address with one kind of id in it, and how it is asked for."""

    endpoint: str
    method: str
    path: str
    kind: str


def place_of(endpoint: str) -> Place | None:
    """Return who may open an endpoint: its own line, else its blueprint's."""
    return PLACES.get(endpoint) or PLACES.get(endpoint.partition(".")[0])


def every_address(app: Flask, ids: Mapping[str, str]) -> Iterator[Address]:
    """Yield every route with every kind of id in each of its gaps."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            for kind, path in _filled(rule, ids):
                yield Address(rule.endpoint, method, path, kind)


def opens_by_itself(address: Address) -> bool:
    """Whether the id in this address is the very permission to open it."""
    return KEYS.get(address.endpoint.partition(".")[0]) == address.kind


def _filled(rule: Rule, ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the rule with each id in its gap, and each word where some are listed."""
    for path in _worded(rule.rule):
        if "<" not in path:
            yield "", path
            continue
        for kind, text in ids.items():
            if text.isdecimal() or "<int:" not in path:
                yield kind, re.sub(r"<[^>]+>", quote(text, safe=""), path)


def _worded(path: str) -> Iterator[str]:
    listed = re.search(r"<any\(([^)]*)\):\w+>", path)
    if listed is None:
        yield path
        return
    for word in listed[1].split(","):
        yield from _worded(path.replace(listed[0], word.strip(" '\"")))
