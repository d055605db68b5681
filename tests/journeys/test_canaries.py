"""Words that are a runner's own never turn up in anything that is written.

One runner's story with all that can go wrong in it, in real processes: then
every log, page of an error, number, command's output and mail, Redis' keys and files,
and the bytes of the tables are searched for names, distances, addresses and tokens.
"""

import re
from collections.abc import Iterator, Mapping

import pytest
import requests

from sync.queue import Job
from sync.simulator import faults
from tests.journeys.canary_instance import (
    ADDRESS,
    ATHLETE_ID,
    CANARY_WORDS,
    TABLE_WORDS,
    CanaryInstance,
    open_canary_instance,
    run_and_capture,
)
from tests.journeys.test_as_services import read_csrf_token
from tests.support.live_instance import wait_for
from tests.support.servers import TIMEOUT_S
from tests.support.strong_secrets import WEBHOOK_SECRET

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
SOURCES = (
    *("web", "worker", "errors", "numbers", "commands", "mails"),
    *("redis", "redis files", "tables"),
)


@pytest.fixture(scope="module")
def written_texts(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Mapping[str, str], set[str]]]:
    """Live through the story; return what was written where, and every token."""
    page = faults.MAINTENANCE_PAGE
    with open_canary_instance(tmp_path_factory.mktemp("aviary")) as host:
        errors = run_scenario(host)
        numbers = [get(host, path).text for path in ("/metrics", "/readyz")]
        commands = [run_and_capture(command, host.environment) for command in COMMANDS]
        texts = {
            "web": host.logged("web"),
            "worker": host.logged("worker"),
            "errors": " ".join(errors),
            "numbers": " ".join(numbers),
            "commands": " ".join(commands),
            "mails": " ".join(words_of_mails(host)),
            "redis": host.in_redis(),
            "redis files": host.in_redis_files(),
            "tables": host.in_tables(),
        }
        yield texts, host.secrets()
    faults.MAINTENANCE_PAGE = page


def run_scenario(host: CanaryInstance) -> list[str]:
    """Link, run, answer, and fail in every way; return the pages of the errors."""
    link(host)
    confirm(host)
    host.tell(host.finish_run())
    survey = wait_for(lambda: newest_link(host, "s"))
    assert requests.post(survey, data={"mood": "5"}, timeout=TIMEOUT_S).ok
    line = {"note": "Tirili at the river"}
    assert requests.post(f"{survey}/note", data=line, timeout=TIMEOUT_S).ok
    assert "Tirili" in get(host, "/notes").text
    search = {"words": "Tirili", "csrf": read_csrf_token(get(host, "/notes").text)}
    assert "Tirili" in post(host, "/notes", search).text
    return [*run_wrong_commands(host, survey), *cause_failures(host, survey)]


def link(host: CanaryInstance) -> None:
    page = get(host, "/connect").text
    consents = dict.fromkeys(("strava", "mood", "mail", "adult"), "1")
    consent = post(host, "/connect", consents | {"csrf": read_csrf_token(page)})
    ticked = {"athlete": str(ATHLETE_ID), "scope": ["read", "activity:read"]}
    back = host.runner.post(
        consent.url, data=ticked | {"decision": "authorize"}, timeout=TIMEOUT_S
    )
    assert back.ok, back.text


def confirm(host: CanaryInstance) -> None:
    page = get(host, "/email").text
    assert post(host, "/email", {"email": ADDRESS, "csrf": read_csrf_token(page)}).ok
    address = wait_for(lambda: newest_link(host, "email/confirm"))
    page = host.runner.get(address, timeout=TIMEOUT_S).text
    assert host.runner.post(
        address, data={"csrf": read_csrf_token(page)}, timeout=TIMEOUT_S
    ).ok


def run_wrong_commands(host: CanaryInstance, survey: str) -> list[str]:
    """Say private things where they do not belong."""
    form = read_csrf_token(get(host, "/connect").text)
    hook = f"{host.url}/hooks/strava/{WEBHOOK_SECRET}"
    return [
        get(host, "/Canaria/Zwitscher").text,
        get(host, "/connect/callback?state=Canaria&code=Zwitscher").text,
        get(host, "/runs/13379").text,
        post(host, "/login/Canaria-token", {"csrf": form}).text,
        post(host, "/settings", {"csrf": "Canaria"}).text,
        requests.post(hook, data=b'{"Canaria": 13379}', timeout=TIMEOUT_S).text,
        requests.post(hook + "Zwitscher", json={}, timeout=TIMEOUT_S).text,
        requests.post(survey, data={"mood": "Canaria"}, timeout=TIMEOUT_S).text,
        requests.post(survey, data={"Zwitscher": "13379"}, timeout=TIMEOUT_S).text,
        post(host, "/notes/13379", {"csrf": form, "note": "Tirili"}).text,
        get(host, "/notes/Tirili").text,
        requests.get(
            host.url, headers={"Host": "Canaria.example"}, timeout=TIMEOUT_S
        ).text,
    ]


def cause_failures(host: CanaryInstance, survey: str) -> list[str]:
    """Let the tables, Strava and the mail server fail while work is under way."""
    pages = []
    with host.table_removed("answer"):
        pages += [get(host, path).text for path in ("/dashboard", "/settings/export")]
        pages += [get(host, "/dashboard/data.json").text]
        pages += [requests.post(survey, data={"mood": "1"}, timeout=TIMEOUT_S).text]
        line = {"note": "Tirili once more"}
        pages += [requests.post(f"{survey}/note", data=line, timeout=TIMEOUT_S).text]
    with host.table_removed("event"):
        assert host.tell(host.finish_run()) == 500
    with host.table_removed("decision"):
        assert host.tell(host.finish_run()) == 200
        wait_for(lambda: "OperationalError" in host.logged("worker"))
    with host.unknown_words():
        responses = [get(host, path) for path in ("/dashboard", "/settings")]
        assert all(page.ok for page in responses)
        host.wake(Job.INBOX)
        wait_for(lambda: "UnknownWord" in host.logged("worker"))
    host.make_postponed_work_due()
    with host.strava_failing("any"):
        assert host.tell(host.finish_run()) == 200
        pages += [get(host, sign_in_again(host)).text]
        wait_for(lambda: "StravaUnavailable" in host.logged("worker"))
    host.mail_server.get_recipient_reply = lambda to: (
        f"550 5.1.1 {to} Canaria Zwitscher is unknown"
    )
    form = read_csrf_token(get(host, "/connect").text)
    assert post(host, "/login", {"email": ADDRESS, "csrf": form}).ok
    host.wake(Job.OUTBOX)
    wait_for(lambda: "outcome=bounced" in host.logged("worker"))
    return pages


def sign_in_again(host: CanaryInstance) -> str:
    """Go to Strava and return the way back with a code that it will not take."""
    form = read_csrf_token(get(host, "/connect").text)
    response = host.runner.post(
        f"{host.url}/connect/again",
        data={"csrf": form},
        timeout=TIMEOUT_S,
        allow_redirects=False,
    )
    state = response.headers["Location"].partition("state=")[2].partition("&")[0]
    host.tokens.add(state)
    scope = "read,activity:read"
    return f"/connect/callback?state={state}&code=Canaria-code&scope={scope}"


def newest_link(host: CanaryInstance, path: str) -> str | None:
    for email in reversed(host.mail_server.emails):
        body = email.get_body(("plain",))
        text = body.get_content() if body else ""
        host.tokens.update(LINK.findall(text))
        for match in LINK.finditer(text):
            if f"/{path}/" in match[0]:
                return match[0].partition("?")[0]
    return None


def words_of_mails(host: CanaryInstance) -> Iterator[str]:
    """Yield each mail as it was sent, but for its address and the links in it."""
    for email in host.mail_server.emails:
        newest_link(host, "s")
        del email["To"]
        yield LINK.sub("", email.as_string() + "".join(list_parts(email)))


def list_parts(email: object) -> Iterator[str]:
    walk = getattr(email, "walk", list)
    for part in walk():
        if part.get_content_maintype() == "text":
            yield part.get_content()


def get(host: CanaryInstance, path: str) -> requests.Response:
    return host.runner.get(f"{host.url}{path}", timeout=TIMEOUT_S)


def post(
    host: CanaryInstance, path: str, fields: Mapping[str, str]
) -> requests.Response:
    return host.runner.post(f"{host.url}{path}", data=fields, timeout=TIMEOUT_S)


@pytest.mark.parametrize("source", SOURCES)
def test_no_private_word_and_no_token_was_written(
    written_texts: tuple[Mapping[str, str], set[str]], source: str
) -> None:
    texts, secrets = written_texts
    text = texts[source]
    words = TABLE_WORDS if source == "tables" else CANARY_WORDS
    private = words if source == "mails" else (*words, *secrets)

    assert len(text) > 20
    assert len(secrets) > 8
    assert [word for word in private if word in text] == []
