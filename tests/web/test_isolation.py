"""One runner never sees or changes another's data, whichever address they try.

Ada has a bit of everything.  Ben, signed in as himself, and somebody who is not
signed in at all ask for every route with every id of hers, follow every link of
her pages and send every form of theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import ZipFile, is_zipfile

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from sync.models import Event, Model, Runner
from sync.runtime import Runtime
from sync.surveys.answering import answer
from tests.support.harness import Harness
from tests.support.html_forms import HtmlForm, read_forms, read_links
from tests.support.route_access import (
    LINK_TOKENS,
    RouteAddress,
    get_access,
    is_own_permission,
    list_addresses,
)
from tests.support.two_runners import ADDRESS, TwoRunners, add_two_runners
from web.http.limit_counters import RateLimiter
from web.http.limits import EXTENSION_KEY

pytestmark = pytest.mark.slow


# These end something: they are tried when all else was, in this order.
LAST = ("logout", "consents", "disconnect", "delete")
# A sign-in link is looked up to see which browser asked for it, and refused.
FOUND_BY_TOKEN = {"MailLink"}


@pytest.fixture
def two_runners(harness: Harness) -> TwoRunners:
    return add_two_runners(harness)


def read_rows(runtime: Runtime, runner_id: int) -> dict[str, list[Any]]:
    """Return every row about a runner, in every table that there is."""
    rows_by_table = {}
    with runtime.db.read_only() as session:
        for table in Model.metadata.sorted_tables:
            if "runner_id" in table.columns:
                about = table.c.runner_id == runner_id
            elif table.name == Runner.__tablename__:
                about = table.c.id == runner_id
            elif table.name == Event.__tablename__:
                about = table.c.athlete_id == 7
            else:
                continue
            rows = session.execute(table.select().where(about)).all()
            rows_by_table[table.name] = sorted(map(repr, rows))
    return rows_by_table


def read_text(answer: TestResponse) -> str:
    """Return everything that an answer says, also inside a ZIP file."""
    data = answer.get_data()
    if is_zipfile(BytesIO(data)):
        with ZipFile(BytesIO(data)) as packed:
            data = b"\n".join(packed.read(name) for name in packed.namelist())
    return data.decode(errors="replace")


def find_leaks(text: str, two_runners: TwoRunners, requested: str) -> list[str]:
    """Return what of Ada's a page shows that whoever asked did not say first."""
    secret = [
        *two_runners.marks,
        *(text for text in two_runners.ids.values() if len(text) > 12),
    ]
    return [mark for mark in secret if mark in text and mark not in requested]


@dataclass
class DecryptionRecorder:
    """Notes rows of Ada's that were read while somebody else asked."""

    read: list[str]

    @classmethod
    def record(cls, two_runners: TwoRunners) -> Iterator["DecryptionRecorder"]:
        watch = cls([])

        def note(target: Any, _context: Any) -> None:
            if getattr(target, "runner_id", None) == two_runners.subject_id:
                watch.read.append(type(target).__name__)

        event.listen(Model, "load", note, propagate=True)
        yield watch
        event.remove(Model, "load", note)


@pytest.fixture
def decryption_recorder(two_runners: TwoRunners) -> Iterator[DecryptionRecorder]:
    yield from DecryptionRecorder.record(two_runners)


def get_order(path: str) -> int:
    return max((LAST.index(word) + 1 for word in LAST if word in path), default=0)


def list_other_addresses(two_runners: TwoRunners) -> list[RouteAddress]:
    """Return every address but those whose link is the permission itself."""
    tried = [
        address
        for address in list_addresses(two_runners.app, two_runners.ids)
        if not is_own_permission(address)
    ]
    return sorted(tried, key=lambda address: (get_order(address.path), address.method))


def send_request(
    client: FlaskClient, address: RouteAddress, two_runners: TwoRunners, csrf: str
) -> TestResponse:
    """Ask for an address, naming Ada's numbers in every other way as well.

    Each is the first request for the limits, which would hide what it would get.
    """
    two_runners.app.extensions[EXTENSION_KEY] = RateLimiter("")
    numbers = {name: text for name, text in two_runners.ids.items() if text.isdecimal()}
    numbers.pop("run at Strava")
    fields = {"mood": "1", "csrf": csrf}
    fields |= numbers | {f"{name}_id": text for name, text in numbers.items()}
    sent = None if address.method == "GET" else fields
    return client.open(
        address.path, method=address.method, query_string=fields, data=sent
    )


def test_every_route_says_who_may_open_it(two_runners: TwoRunners) -> None:
    unplaced = {
        rule.endpoint
        for rule in two_runners.app.url_map.iter_rules()
        if get_access(rule.endpoint) is None
    }

    assert not unplaced, (
        "Say in tests/support/route_access.py who may open "
        f"{', '.join(sorted(unplaced))}."
    )


def test_whoever_is_not_signed_in_gets_nothing_of_anybody(
    two_runners: TwoRunners, decryption_recorder: DecryptionRecorder
) -> None:
    browser = two_runners.browser(None)
    csrf = browser.get_csrf_token()
    before_all = read_rows(two_runners.runtime, two_runners.subject_id)

    for one in list_other_addresses(two_runners):
        answer = send_request(browser.client, one, two_runners, csrf)

        assert find_leaks(read_text(answer), two_runners, one.path) == [], one
        if get_access(one.endpoint) == "own":
            assert answer.status_code in {302, 401, 404}, one
    assert read_rows(two_runners.runtime, two_runners.subject_id) == before_all
    assert decryption_recorder.read == []


def test_another_runner_gets_nothing_of_hers(
    two_runners: TwoRunners, decryption_recorder: DecryptionRecorder
) -> None:
    before_all, browser, csrf = (
        read_rows(two_runners.runtime, two_runners.subject_id),
        two_runners.browser(two_runners.other_id),
        "",
    )

    for one in list_other_addresses(two_runners):
        if one.method == "POST":  # the one before may have ended his sign-in
            browser = two_runners.browser(two_runners.other_id)
            csrf = browser.get_csrf_token()
        answer = send_request(browser.client, one, two_runners, csrf)

        assert find_leaks(read_text(answer), two_runners, one.path) == [], one
        if one.endpoint.startswith("runs."):
            assert answer.status_code == 404, one
    assert read_rows(two_runners.runtime, two_runners.subject_id) == before_all
    assert set(decryption_recorder.read) <= FOUND_BY_TOKEN


def list_pages(two_runners: TwoRunners) -> dict[str, str]:
    """Return every page of Ada's own that her pages lead to, by its address."""
    browser, seen, waiting = (
        two_runners.browser(two_runners.subject_id),
        dict[str, str](),
        {"/dashboard"},
    )
    while waiting:
        path = waiting.pop()
        answer = browser.open(path)
        seen[path] = answer.text if answer.mimetype == "text/html" else ""
        waiting |= read_links(seen[path], path) - seen.keys()
        waiting = {
            path
            for path in waiting
            if path.partition("?")[0] not in strip_queries(seen)
        }
    return seen


def strip_queries(paths: dict[str, str]) -> set[str]:
    return {path.partition("?")[0] for path in paths}


def is_own_to_give(path: str, two_runners: TwoRunners) -> bool:
    """Whether the address holds a link's own permission, such as a bookmark's."""
    return any(two_runners.ids[kind] in path for kind in LINK_TOKENS.values())


def test_her_own_pages_work_for_her(two_runners: TwoRunners) -> None:
    pages = list_pages(two_runners)

    everything = " ".join(pages.values())
    assert {
        "/dashboard",
        "/settings",
        f"/runs/{two_runners.ids['run']}",
    } <= strip_queries(pages)
    assert "23.5" in everything
    assert ADDRESS in everything


def test_his_own_pages_know_of_nobody_elses_answers(two_runners: TwoRunners) -> None:
    answer.record_answer(
        two_runners.runtime, token=two_runners.ids["survey token"], values={"mood": 2}
    )
    pages = [
        two_runners.browser(runner_id).open(path)
        for runner_id in (two_runners.subject_id, two_runners.other_id)
        for path in ("/dashboard", "/dashboard/answers.csv")
    ]

    assert [page.status_code for page in pages] == [200] * 4
    hers, his = (page.text.splitlines() for page in pages[1::2])
    assert (len(hers), len(his)) == (2, 1)


def test_no_link_of_her_pages_opens_anything_for_another(
    two_runners: TwoRunners,
) -> None:
    for path in list_pages(two_runners):
        if is_own_to_give(path, two_runners):
            continue
        answer = two_runners.browser(two_runners.other_id).open(path)

        assert find_leaks(read_text(answer), two_runners, path) == [], path


@pytest.mark.parametrize("csrf_of", ["his own", "hers"])
def test_no_form_of_her_pages_changes_anything_for_another(
    two_runners: TwoRunners, csrf_of: str
) -> None:
    forms = {repr(form): form for form in list_forms(two_runners)}.values()
    hers = two_runners.browser(two_runners.subject_id).get_csrf_token()
    before_all = read_rows(two_runners.runtime, two_runners.subject_id)

    assert len(forms) > 5
    for form in sorted(forms, key=lambda one: get_order(one.path)):
        browser = two_runners.browser(two_runners.other_id)
        csrf = browser.get_csrf_token() if csrf_of == "his own" else hers
        browser.client.open(
            form.path, method=form.method, data=form.fields | {"csrf": csrf}
        )

    assert read_rows(two_runners.runtime, two_runners.subject_id) == before_all


def list_forms(two_runners: TwoRunners) -> list[HtmlForm]:
    return [
        form
        for path, page in list_pages(two_runners).items()
        for form in read_forms(page, path)
        if form.method == "POST" and not is_own_to_give(form.path, two_runners)
    ]
