"""Words that are a runner's own never turn up in anything that is written.

One runner's story with all that can go wrong in it, in real processes: then
every log, page of an error, number, command's output, mail and Redis key is
searched for names, distances, addresses and tokens.
"""

import re
from collections.abc import Iterator, Mapping

import pytest
import requests

from sync.queue import Work
from sync.simulator import faults
from tests.journeys.canary_instance import (
    ADDRESS,
    ATHLETE_ID,
    WORDS,
    Aviary,
    aviary,
    said_by,
)
from tests.journeys.test_as_services import csrf
from tests.support.live_instance import until
from tests.support.servers import PATIENCE_S

pytestmark = pytest.mark.processes

LINK = re.compile(r"http://[^\s\"<>]+/(?:s|u|login|email/confirm|before)/([\w-]+)")
COMMANDS = (
    ("runner", "list"),
    ("doctor",),
    ("strava", "status"),
    ("strava", "retry"),
    ("keys", "rotate"),
    ("runner", "delete", "999", "--yes"),
)
SOURCES = ("web", "worker", "errors", "numbers", "commands", "mails", "redis")


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Mapping[str, str], set[str]]]:
    """Live through the story; return what was written where, and every token."""
    page = faults.PAGE
    with aviary(tmp_path_factory.mktemp("aviary")) as host:
        errors = story(host)
        numbers = [get(host, path).text for path in ("/metrics", "/readyz")]
        commands = [said_by(command, host.environment) for command in COMMANDS]
        found = {
            "web": host.logged("web"),
            "worker": host.logged("worker"),
            "errors": " ".join(errors),
            "numbers": " ".join(numbers),
            "commands": " ".join(commands),
            "mails": " ".join(words_of_mails(host)),
            "redis": host.in_redis(),
        }
        yield found, host.secrets()
    faults.PAGE = page


def story(host: Aviary) -> list[str]:
    """Link, run, answer, and fail in every way; return the pages of the errors."""
    link(host)
    confirm(host)
    host.tell(host.finish_run())
    survey = until(lambda: newest_link(host, "s"))
    assert requests.post(survey, data={"mood": "5"}, timeout=PATIENCE_S).ok
    return [*wrong_use(host, survey), *failures(host, survey)]


def link(host: Aviary) -> None:
    page = get(host, "/connect").text
    boxes = dict.fromkeys(("strava", "mood", "mail", "adult"), "1")
    consent = post(host, "/connect", boxes | {"csrf": csrf(page)})
    ticked = {"athlete": str(ATHLETE_ID), "scope": ["read", "activity:read"]}
    back = host.runner.post(
        consent.url, data=ticked | {"decision": "authorize"}, timeout=PATIENCE_S
    )
    assert back.ok, back.text


def confirm(host: Aviary) -> None:
    page = get(host, "/email").text
    assert post(host, "/email", {"email": ADDRESS, "csrf": csrf(page)}).ok
    address = until(lambda: newest_link(host, "email/confirm"))
    page = host.runner.get(address, timeout=PATIENCE_S).text
    assert host.runner.post(address, data={"csrf": csrf(page)}, timeout=PATIENCE_S).ok


def wrong_use(host: Aviary, survey: str) -> list[str]:
    """Say private things where they do not belong."""
    form = csrf(get(host, "/connect").text)
    hook = f"{host.url}/hooks/strava/hook-canary"
    return [
        get(host, "/Canaria/Zwitscher").text,
        get(host, "/connect/callback?state=Canaria&code=Zwitscher").text,
        get(host, "/runs/13379").text,
        post(host, "/login/Canaria-token", {"csrf": form}).text,
        post(host, "/settings", {"csrf": "Canaria"}).text,
        requests.post(hook, data=b'{"Canaria": 13379}', timeout=PATIENCE_S).text,
        requests.post(hook + "Zwitscher", json={}, timeout=PATIENCE_S).text,
        requests.post(survey, data={"mood": "Canaria"}, timeout=PATIENCE_S).text,
        requests.post(survey, data={"Zwitscher": "13379"}, timeout=PATIENCE_S).text,
        requests.get(
            host.url, headers={"Host": "Canaria.example"}, timeout=PATIENCE_S
        ).text,
    ]


def failures(host: Aviary, survey: str) -> list[str]:
    """Let the tables, Strava and the mail server fail while work is under way."""
    pages = []
    with host.without("answer"):
        pages += [get(host, path).text for path in ("/dashboard", "/settings/export")]
        pages += [get(host, "/dashboard/data.json").text]
        pages += [requests.post(survey, data={"mood": "1"}, timeout=PATIENCE_S).text]
    with host.without("event"):
        assert host.tell(host.finish_run()) == 500
    with host.without("decision"):
        assert host.tell(host.finish_run()) == 200
        until(lambda: "OperationalError" in host.logged("worker"))
    with host.paused_until_never():
        asked = [get(host, path) for path in ("/dashboard", "/settings")]
        pages += [page.text for page in asked if not page.ok]
        assert host.tell(host.finish_run()) == 200
        until(lambda: "ValueError" in host.logged("worker"))
    with host.strava_failing("any"):
        assert host.tell(host.finish_run()) == 200
        pages += [get(host, come_back(host)).text]
        until(lambda: "StravaUnavailable" in host.logged("worker"))
    host.post.on_recipient = lambda to: f"550 5.1.1 {to} Canaria Zwitscher is unknown"
    form = csrf(get(host, "/connect").text)
    assert post(host, "/login", {"email": ADDRESS, "csrf": form}).ok
    host.wake(Work.OUTBOX)
    until(lambda: "outcome=bounced" in host.logged("worker"))
    return pages


def come_back(host: Aviary) -> str:
    """Go to Strava and return the way back with a code that it will not take."""
    form = csrf(get(host, "/connect").text)
    there = host.runner.post(
        f"{host.url}/connect/again",
        data={"csrf": form},
        timeout=PATIENCE_S,
        allow_redirects=False,
    )
    state = there.headers["Location"].partition("state=")[2].partition("&")[0]
    host.tokens.add(state)
    scope = "read,activity:read"
    return f"/connect/callback?state={state}&code=Canaria-code&scope={scope}"


def newest_link(host: Aviary, path: str) -> str | None:
    for letter in reversed(host.post.letters):
        body = letter.get_body(("plain",))
        text = body.get_content() if body else ""
        host.tokens.update(LINK.findall(text))
        for found in LINK.finditer(text):
            if f"/{path}/" in found[0]:
                return found[0].partition("?")[0]
    return None


def words_of_mails(host: Aviary) -> Iterator[str]:
    """Yield each mail as it was sent, but for its address and the links in it."""
    for letter in host.post.letters:
        newest_link(host, "s")
        del letter["To"]
        yield LINK.sub("", letter.as_string() + "".join(parts_of(letter)))


def parts_of(letter: object) -> Iterator[str]:
    walk = getattr(letter, "walk", list)
    for part in walk():
        if part.get_content_maintype() == "text":
            yield part.get_content()


def get(host: Aviary, path: str) -> requests.Response:
    return host.runner.get(f"{host.url}{path}", timeout=PATIENCE_S)


def post(host: Aviary, path: str, fields: Mapping[str, str]) -> requests.Response:
    return host.runner.post(f"{host.url}{path}", data=fields, timeout=PATIENCE_S)


@pytest.mark.parametrize("source", SOURCES)
def test_no_private_word_and_no_token_was_written(
    written: tuple[Mapping[str, str], set[str]], source: str
) -> None:
    texts, secrets = written
    text = texts[source]
    private = WORDS if source == "mails" else (*WORDS, *secrets)

    assert len(text) > 20
    assert len(secrets) > 8
    assert [word for word in private if word in text] == []
