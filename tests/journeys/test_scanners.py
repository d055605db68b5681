"""Programs that open every link of every mail leave no trace in anybody's data."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from threading import Thread

import pytest
import requests
from playwright.sync_api import Browser
from sqlalchemy import select
from werkzeug.serving import make_server

from sync.mail.message import RenderContext
from sync.mail.rendering import render_mail
from sync.models import Answer, MailLink, Runner, SignIn, Survey
from sync.runners import address, sign_in
from sync.runtime import Runtime
from sync.settings import Settings
from sync.surveys import unsubscribe
from sync.vocabulary import MailKind
from tests.support.browser import DESKTOP, PHONE
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_mail
from tests.support.servers import HOST, TIMEOUT_S, free_port
from web.app import create_app

_LINK = re.compile(r'https?://[^\s"<>]+')
PREFETCH = {
    "Purpose": "prefetch",
    "Sec-Purpose": "prefetch;prerender",
    "X-Moz": "prefetch",
    "User-Agent": "Mozilla/5.0 (compatible; SafeLinks)",
}


@dataclass(frozen=True)
class ScannerInbox:
    """Everything that one runner's mails lead to, and what is stored of them."""

    links: list[str]
    runtime: Runtime

    def read_state(self) -> list[object]:
        """Return all that a click could have changed."""
        with self.runtime.db.read_only() as session:
            runner = session.scalars(select(Runner)).one()
            return [
                session.scalars(select(Answer.id)).all(),
                session.scalars(select(SignIn.runner_id)).all(),
                session.scalars(select(MailLink.used_at)).all(),
                [
                    (row.skipped_at, row.cancelled_for, row.opened_at)
                    for row in session.scalars(select(Survey))
                ],
                runner.preferences.to_stored(),
                runner.email_confirmed_at,
            ]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    url = f"http://{HOST}:{free_port()}"
    return settings.model_copy(update={"public_url": url})


@pytest.fixture
def inbox(harness: Harness, runtime: Runtime) -> Iterator[ScannerInbox]:
    """Write a runner one mail of each kind that holds a link of their own."""
    athlete = harness.add_athlete()
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    run = harness.finish_run(athlete, ended_minutes_ago=0)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    address.request_confirmation(runtime, runner_id=runner_id, email="new@example.org")
    mine = f"runner{runner_id}@example.org"
    sign_in.enqueue_sign_in_link(runtime, email=mine, browser="browser")
    asking = read_pending_mail(runtime, "survey")
    kinds = {
        "survey": asking,
        "survey_reminder": read_pending_mail(runtime, "survey_reminder"),
        "checkin": {
            name: asking[name] for name in ("token", "unsubscribe_token", "expires_at")
        },
        "digest": {
            "distances_m": [0] * 7,
            "moods": [[]] * 7,
            "runs": 0,
            "sentence": "",
            "unsubscribe_token": unsubscribe.create_token(runtime, runner_id),
        },
        "slow_down_question": {
            "unsubscribe_token": unsubscribe.create_token(runtime, runner_id)
        },
        "confirm_address": read_pending_mail(runtime, "confirm_address"),
        "sign_in_link": read_pending_mail(runtime, "sign_in_link"),
    }
    url = runtime.settings.public_url
    port = int(url.rpartition(":")[2])
    server = make_server(HOST, port, create_app(runtime), threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield ScannerInbox(sorted(_links_of(kinds, runtime)), runtime)
    server.shutdown()
    thread.join()
    server.server_close()


def _links_of(kinds: dict[str, dict[str, object]], runtime: Runtime) -> set[str]:
    now = runtime.now()
    sending = RenderContext(runtime.settings.public_url, now=now, stale_at=now)
    links: set[str] = set()
    for kind, values in kinds.items():
        mail = render_mail(MailKind(kind), values, sending)
        for text in (unescape(mail.html), mail.text, mail.unsubscribe_url or ""):
            links |= set(_LINK.findall(text))
    return {link for link in links if link.startswith(runtime.settings.public_url)}


def get(link: str) -> int:
    return requests.get(link, timeout=TIMEOUT_S).status_code


def head(link: str) -> int:
    return requests.head(link, timeout=TIMEOUT_S, allow_redirects=True).status_code


def prefetch(link: str) -> int:
    return requests.get(link, timeout=TIMEOUT_S, headers=PREFETCH).status_code


def test_the_mails_hold_every_link_that_counts(inbox: ScannerInbox) -> None:
    paths = " ".join(link.partition("://")[2].partition("/")[2] for link in inbox.links)

    assert len(re.findall(r"\bs/[\w-]+\?m=[1-5]", paths)) == 5
    for part in ("u/", "?only=checkins", "settings?ask=", "email/confirm/", "login/"):
        assert part in paths


@pytest.mark.parametrize("opened", [get, head, prefetch])
def test_opening_every_link_twice_changes_nothing(
    inbox: ScannerInbox, opened: Callable[[str], int]
) -> None:
    before = inbox.read_state()

    codes = {opened(link) for link in [*inbox.links, *inbox.links]}

    assert codes == {200}
    assert inbox.read_state() == before


def test_opening_all_links_at_once_changes_nothing(inbox: ScannerInbox) -> None:
    before = inbox.read_state()

    with ThreadPoolExecutor(len(inbox.links)) as crowd:
        codes = set(crowd.map(get, inbox.links))

    assert codes == {200}
    assert inbox.read_state() == before


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_a_browser_without_a_person_changes_nothing(
    inbox: ScannerInbox, chrome: Browser, size: dict[str, int]
) -> None:
    before = inbox.read_state()
    context = chrome.new_context(
        viewport={"width": size["width"], "height": size["height"]}, has_touch=True
    )
    # What scanners hide, so that pages take them for people.
    context.add_init_script(
        "Object.defineProperty(navigator, 'webdriver', {get: () => undefined})"
    )
    page = context.new_page()

    for link in inbox.links:
        page.goto(link, wait_until="networkidle")
        page.mouse.move(20, 20)
        page.mouse.wheel(0, 400)
    context.close()

    assert inbox.read_state() == before
