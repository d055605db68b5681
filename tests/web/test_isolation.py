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
from tests.support.harness import Stage
from tests.support.html_forms import Form, forms_in, links_in
from tests.support.route_access import (
    KEYS,
    Address,
    every_address,
    opens_by_itself,
    place_of,
)
from tests.support.two_runners import ADDRESS, Two, two_on

pytestmark = pytest.mark.slow

# These end something: they are tried when all else was, in this order.
LAST = ("logout", "consents", "disconnect", "delete")
# A sign-in link is looked up to see which browser asked for it, and refused.
FOUND_BY_TOKEN = {"MailLink"}


@pytest.fixture
def two(stage: Stage) -> Two:
    return two_on(stage)


def rows_of(runtime: Runtime, runner_id: int) -> dict[str, list[Any]]:
    """Return every row about a runner, in every table that there is."""
    found = {}
    with runtime.db.reading() as session:
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
            found[table.name] = sorted(map(repr, rows))
    return found


def text_of(answer: TestResponse) -> str:
    """Return everything that an answer says, also inside a ZIP file."""
    data = answer.get_data()
    if is_zipfile(BytesIO(data)):
        with ZipFile(BytesIO(data)) as packed:
            data = b"\n".join(packed.read(name) for name in packed.namelist())
    return data.decode(errors="replace")


def shown_in(text: str, two: Two, asked: str) -> list[str]:
    """Return what of Ada's a page shows that whoever asked did not say first."""
    secret = [*two.marks, *(text for text in two.ids.values() if len(text) > 12)]
    return [mark for mark in secret if mark in text and mark not in asked]


@dataclass
class Watch:
    """Notes rows of Ada's that were read while somebody else asked."""

    read: list[str]

    @classmethod
    def over(cls, two: Two) -> Iterator["Watch"]:
        watch = cls([])

        def note(target: Any, _context: Any) -> None:
            if getattr(target, "runner_id", None) == two.ada:
                watch.read.append(type(target).__name__)

        event.listen(Model, "load", note, propagate=True)
        yield watch
        event.remove(Model, "load", note)


@pytest.fixture
def watch(two: Two) -> Iterator[Watch]:
    yield from Watch.over(two)


def how_late(path: str) -> int:
    return max((LAST.index(word) + 1 for word in LAST if word in path), default=0)


def others_addresses(two: Two) -> list[Address]:
    """Return every address but those whose link is the permission itself."""
    tried = [
        address
        for address in every_address(two.app, two.ids)
        if not opens_by_itself(address)
    ]
    return sorted(tried, key=lambda one: (how_late(one.path), one.method))


def ask(client: FlaskClient, one: Address, two: Two, csrf: str) -> TestResponse:
    """Ask for an address, naming Ada's numbers in every other way as well."""
    numbers = {name: text for name, text in two.ids.items() if text.isdecimal()}
    numbers.pop("run at Strava")
    fields = {"mood": "1", "csrf": csrf}
    fields |= numbers | {f"{name}_id": text for name, text in numbers.items()}
    sent = None if one.method == "GET" else fields
    return client.open(one.path, method=one.method, query_string=fields, data=sent)


def test_every_route_says_who_may_open_it(two: Two) -> None:
    unplaced = {
        rule.endpoint
        for rule in two.app.url_map.iter_rules()
        if place_of(rule.endpoint) is None
    }

    assert not unplaced, (
        "Say in tests/support/route_access.py who may open "
        f"{', '.join(sorted(unplaced))}."
    )


def test_whoever_is_not_signed_in_gets_nothing_of_anybody(
    two: Two, watch: Watch
) -> None:
    browser = two.browser(None)
    csrf = browser.form_token()
    before_all = rows_of(two.runtime, two.ada)

    for one in others_addresses(two):
        answer = ask(browser.client, one, two, csrf)

        assert shown_in(text_of(answer), two, one.path) == [], one
        if place_of(one.endpoint) == "own":
            assert answer.status_code in {302, 401, 404}, one
    assert rows_of(two.runtime, two.ada) == before_all
    assert watch.read == []


def test_another_runner_gets_nothing_of_hers(two: Two, watch: Watch) -> None:
    before_all, browser, csrf = rows_of(two.runtime, two.ada), two.browser(two.ben), ""

    for one in others_addresses(two):
        if one.method == "POST":  # the one before may have ended his sign-in
            browser = two.browser(two.ben)
            csrf = browser.form_token()
        answer = ask(browser.client, one, two, csrf)

        assert shown_in(text_of(answer), two, one.path) == [], one
        if one.endpoint.startswith("runs."):
            assert answer.status_code == 404, one
    assert rows_of(two.runtime, two.ada) == before_all
    assert set(watch.read) <= FOUND_BY_TOKEN


def pages_of(two: Two) -> dict[str, str]:
    """Return every page of Ada's own that her pages lead to, by its address."""
    browser, seen, waiting = two.browser(two.ada), dict[str, str](), {"/dashboard"}
    while waiting:
        path = waiting.pop()
        answer = browser.open(path)
        seen[path] = answer.text if answer.mimetype == "text/html" else ""
        waiting |= links_in(seen[path], path) - seen.keys()
        waiting = {one for one in waiting if one.partition("?")[0] not in bare(seen)}
    return seen


def bare(paths: dict[str, str]) -> set[str]:
    return {path.partition("?")[0] for path in paths}


def is_hers_to_give(path: str, two: Two) -> bool:
    """Whether the address holds a link's own permission, such as a bookmark's."""
    return any(two.ids[kind] in path for kind in KEYS.values())


def test_her_own_pages_work_for_her(two: Two) -> None:
    pages = pages_of(two)

    everything = " ".join(pages.values())
    assert {"/dashboard", "/settings", f"/runs/{two.ids['run']}"} <= bare(pages)
    assert "23.5" in everything
    assert ADDRESS in everything


def test_his_own_pages_know_of_nobody_elses_answers(two: Two) -> None:
    answer.record(two.runtime, token=two.ids["survey token"], values={"mood": 2})
    pages = [
        two.browser(runner_id).open(path)
        for runner_id in (two.ada, two.ben)
        for path in ("/dashboard", "/dashboard/answers.csv")
    ]

    assert [page.status_code for page in pages] == [200] * 4
    hers, his = (page.text.splitlines() for page in pages[1::2])
    assert (len(hers), len(his)) == (2, 1)


def test_no_link_of_her_pages_opens_anything_for_another(two: Two) -> None:
    for path in pages_of(two):
        if is_hers_to_give(path, two):
            continue
        answer = two.browser(two.ben).open(path)

        assert shown_in(text_of(answer), two, path) == [], path


@pytest.mark.parametrize("csrf_of", ["his own", "hers"])
def test_no_form_of_her_pages_changes_anything_for_another(
    two: Two, csrf_of: str
) -> None:
    forms = {repr(form): form for form in forms_of(two)}.values()
    hers = two.browser(two.ada).form_token()
    before_all = rows_of(two.runtime, two.ada)

    assert len(forms) > 5
    for form in sorted(forms, key=lambda one: how_late(one.path)):
        browser = two.browser(two.ben)
        csrf = browser.form_token() if csrf_of == "his own" else hers
        browser.client.open(
            form.path, method=form.method, data=form.fields | {"csrf": csrf}
        )

    assert rows_of(two.runtime, two.ada) == before_all


def forms_of(two: Two) -> list[Form]:
    return [
        form
        for path, page in pages_of(two).items()
        for form in forms_in(page, path)
        if form.method == "POST" and not is_hers_to_give(form.path, two)
    ]
