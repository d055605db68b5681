"""Whatever is sent: an answer below 500, nothing lost, nothing of it in the logs."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from sync.surveys import unsubscribe
from sync.surveys.answering import pre_run
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.two_runners import ADDRESS, add_full_runner
from tests.web.conftest import PageClient
from tests.web.test_isolation import read_rows
from tests.web.webhooks.test_webhooks import EVENT, HOOK

pytestmark = pytest.mark.slow

MARK = "canary-4711"
EXAMPLES = 30

Send: TypeAlias = Callable[[PageClient, st.DataObject, str], TestResponse]

# Text that some parser may stumble over, and always something to find in a log.
odd = st.sampled_from(
    (
        MARK,
        f"{MARK}\r\nX-Header: 1",
        f"{MARK}\x00",
        f"<script>{MARK}</script>",
        f"{{{{ '{MARK}' }}}}",
        f"%({MARK})s %s %n",
        f"' OR 1=1; DROP TABLE runner; -- {MARK}",
        "../" * 9 + MARK,
        "9" * 400,
        "-1",
        "1e999",
        "NaN",
        "\u0663",
        "",
    )
)
texts = odd | st.text(max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner),
    max_leaves=6,
)
forms = st.dictionaries(
    st.sampled_from(("mood", "stress", "energy", "m", "csrf", "ask", "only")) | texts,
    texts,
    max_size=6,
)

# The forms of a signed-in runner, with their fields; none of them takes anything away.
OURS = {
    "/settings": (
        "ask",
        "delay_min",
        "quiet_from",
        "quiet_until",
        "pause",
        "focus",
        "checkin_focus",
        "units",
        "zone",
        "language",
        "week_starts",
        "country",
    ),
    "/email": ("email",),
    "/dashboard/answer": ("run_id", "mood", "stress", "company"),
    "/settings/consents/private/given": ("private",),
    "/runs/1": ("mood", "stress", "company", "place", "race", "energy", "before"),
    "/runs/1/count": ("run_id",),
    "/runs/1/own-log": ("keep",),
    "/wellbeing": ("who5_1", "who5_2", "who5_3", "who5_4", "who5_5"),
}
USUAL = {
    "ask": "weekly",
    "delay_min": "60",
    "quiet_from": "22:00",
    "quiet_until": "08:00",
    "pause": "",
    "units": "km",
    "run_id": "1",
    "mood": "4",
}


def send_event(browser: PageClient, draw: st.DataObject, _survey: str) -> TestResponse:
    """Send an event with wrong parts, or something that is none."""
    fields = st.dictionaries(st.sampled_from(sorted(EVENT)) | texts, values, max_size=4)
    event = json.dumps(EVENT | draw.draw(fields), default=str).encode()
    body = draw.draw(st.just(event) | st.binary(max_size=200))
    kind = draw.draw(st.sampled_from(("application/json", "text/plain", MARK)))
    return browser.client.post(HOOK, data=body, content_type=kind)


def send_handshake(
    browser: PageClient, draw: st.DataObject, _survey: str
) -> TestResponse:
    names = ("hub.mode", "hub.verify_token", "hub.challenge")
    query = draw.draw(st.dictionaries(st.sampled_from(names), texts))
    return browser.client.get(HOOK, query_string=query)


def send_return(browser: PageClient, draw: st.DataObject, _survey: str) -> TestResponse:
    """Come back from Strava with whatever the address can hold."""
    names = ("state", "code", "scope", "error")
    query = draw.draw(st.dictionaries(st.sampled_from(names), texts))
    return browser.client.get("/connect/callback", query_string=query)


def send_survey(browser: PageClient, draw: st.DataObject, survey: str) -> TestResponse:
    suffix = draw.draw(st.sampled_from(("", "/skip", "/own-log", f"/{MARK}", "-")))
    path = f"/s/{survey}{suffix}"
    return _submit_or_open(browser, draw, path)


def open_link(browser: PageClient, draw: st.DataObject, _survey: str) -> TestResponse:
    """Use a link of the mails, with a number that is not quite a runner's."""
    number = draw.draw(st.sampled_from(("1", "0", "9" * 30, "-1", "\u0661", MARK, "")))
    part = draw.draw(st.sampled_from((unsubscribe, pre_run)))
    _, _, signature = part.create_token(browser.runtime, 1).partition("-")
    prefix = "/u/" if part is unsubscribe else "/before/"
    return _submit_or_open(browser, draw, f"{prefix}{number}x-{signature}")


def open_page(browser: PageClient, draw: st.DataObject, _survey: str) -> TestResponse:
    path = draw.draw(st.sampled_from(("/dashboard", "/settings", "/email", "/login")))
    return _submit_or_open(browser, draw, path)


def submit_form(browser: PageClient, draw: st.DataObject, _survey: str) -> TestResponse:
    """Send a form of a page that was open, with wrong values in its own fields."""
    path, names = draw.draw(st.sampled_from(sorted(OURS.items())))
    fields = draw.draw(st.dictionaries(st.sampled_from(names) | texts, texts))
    usual = USUAL if draw.draw(st.booleans()) else {}
    sent = usual | fields | {"csrf": browser.get_csrf_token()}
    return browser.client.post(path, data=sent)


def _submit_or_open(
    browser: PageClient, draw: st.DataObject, path: str
) -> TestResponse:
    fields = draw.draw(forms)
    if draw.draw(st.booleans()):
        return browser.client.post(path, data=fields)
    return browser.client.get(path, query_string=fields)


@pytest.mark.parametrize(
    "send",
    [
        send_event,
        send_handshake,
        send_return,
        send_survey,
        open_link,
        open_page,
        submit_form,
    ],
)
def test_nothing_that_is_sent_breaks_loses_or_leaks(
    send: Send, browser: PageClient, harness: Harness, capfd: pytest.CaptureFixture[str]
) -> None:
    ada = add_full_runner(harness)
    browser.sign_in(ada)
    survey = read_pending_token(harness.runtime)
    counted = {
        table: len(rows) for table, rows in read_rows(harness.runtime, ada).items()
    }

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True)
    @given(st.data())
    def holds(draw: st.DataObject) -> None:
        assert send(browser, draw, survey).status_code < 500

    holds()

    left = {table: len(rows) for table, rows in read_rows(harness.runtime, ada).items()}
    written = capfd.readouterr()
    assert {table for table in counted if left[table] < counted[table]} == set()
    assert MARK not in written.out + written.err
    assert ADDRESS not in written.out + written.err


BROKEN: tuple[Any, ...] = (
    {"data": b"\xff=\xfe"},
    {"data": b"--x", "content_type": "multipart/form-data; boundary=x"},
    {"data": b"a=1&" * 300},
    {"headers": {"Cookie": "moodmiles=\xff; moodmiles-browser=" + "x" * 5000}},
    {"headers": {"Content-Length": "x"}},
    {"headers": {"X-Forwarded-For": "::::, " + MARK}},
    {"headers": {"Accept-Language": "de" * 4000}},
)


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("path", ["/login", "/s/token", HOOK, "/nowhere", "/dashboard"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_broken_request_is_told_so(
    browser: PageClient, method: str, path: str, broken: dict[str, Any]
) -> None:
    answer = browser.client.open(path, method=method, **broken)

    assert answer.status_code < 500
