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
# host:  for Strava and probes
# local: for a browser on the machine that everything runs on
Access: TypeAlias = Literal["open", "own", "link", "host", "local"]

ACCESS_BY_ENDPOINT: Mapping[str, Access] = {
    "account_links": "link",
    "browser_sessions": "own",
    "claims": "own",
    "connect": "open",
    "consents": "own",
    "dashboard": "own",
    "disconnect_and_delete": "own",
    "email": "own",
    "email.confirm": "link",
    "email.confirm_page": "link",
    "email.undo": "link",
    "email.undo_page": "link",
    "export": "own",
    "fixtures": "local",
    "health": "host",
    "health.metrics": "local",
    "help": "open",
    "landing": "open",
    "login": "open",
    "login.again_page": "own",
    "login.link_page": "link",
    "login.redeem": "link",
    "login.send_own_link": "own",
    "login.switched_page": "own",
    "mailbox": "local",
    "notes": "own",
    "offline": "open",
    "pre_run": "link",
    "privacy": "open",
    "questions": "own",
    "runs": "own",
    "settings": "own",
    "static": "open",
    "survey": "link",
    "unsubscribe": "link",
    "webhooks": "host",
    "wellbeing": "own",
}

# A link opens its own door by design, to whoever got the mail; none other.
LINK_TOKENS: Mapping[str, str] = {
    "pre_run": "before token",
    "email": "confirm token",
    "survey": "survey token",
    "unsubscribe": "unsubscribe token",
}


@dataclass(frozen=True, slots=True)
class RouteAddress:
    """One address with one kind of id in it, and how it is asked for."""

    endpoint: str
    method: str
    path: str
    kind: str


def get_access(endpoint: str) -> Access | None:
    """Return who may open an endpoint: its own line, else its blueprint's."""
    return ACCESS_BY_ENDPOINT.get(endpoint) or ACCESS_BY_ENDPOINT.get(
        endpoint.partition(".")[0]
    )


def list_addresses(app: Flask, ids: Mapping[str, str]) -> Iterator[RouteAddress]:
    """Yield every route with every kind of id in each of its gaps."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            for kind, path in _fill_rule(rule, ids):
                yield RouteAddress(rule.endpoint, method, path, kind)


def is_own_permission(address: RouteAddress) -> bool:
    """Whether the id in this address is the very permission to open it."""
    return LINK_TOKENS.get(address.endpoint.partition(".")[0]) == address.kind


def _fill_rule(rule: Rule, ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the rule with each id in its gap, and each word where some are listed."""
    for path in _expand_words(rule.rule):
        if "<" not in path:
            yield "", path
            continue
        for kind, text in ids.items():
            if text.isdecimal() or "<int:" not in path:
                yield kind, re.sub(r"<[^>]+>", quote(text, safe=""), path)


def _expand_words(path: str) -> Iterator[str]:
    listed = re.search(r"<any\(([^)]*)\):\w+>", path)
    if listed is None:
        yield path
        return
    for word in listed[1].split(","):
        yield from _expand_words(path.replace(listed[0], word.strip(" '\"")))
