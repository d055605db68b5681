"""Strava's webhook: right secret in, every event stored before the answer."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import Client

from sync.models import Event, Model
from sync.queue import Job
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.support.recording_queue import RecordingQueue
from web.webhooks.middleware import WebhookMiddleware

HOOK = "/hooks/strava/hook"
EVENT = {
    "object_type": "activity",
    "object_id": 15830000009,
    "aspect_type": "create",
    "owner_id": 7,
    "subscription_id": 1,
    "event_time": 1_777_620_000,
    "updates": {},
}


def list_stored_events(runtime: Runtime) -> int:
    with runtime.db.read_only() as session:
        return session.scalar(select(func.count(Event.id))) or 0


def test_the_challenge_is_echoed(client: FlaskClient) -> None:
    answer = client.get(f"{HOOK}?hub.verify_token=verify&hub.challenge=15f7")

    assert (answer.status_code, answer.json) == (200, {"hub.challenge": "15f7"})


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("hub.verify_token=guess&hub.challenge=1", 403),
        ("hub.challenge=1", 403),
        ("hub.verify_token=verify", 400),
    ],
)
def test_an_odd_handshake_is_refused(
    client: FlaskClient, query: str, status: int
) -> None:
    answer = client.get(f"{HOOK}?{query}")

    assert answer.status_code == status


def test_an_event_is_kept_once_and_wakes_a_worker(
    client: FlaskClient,
    harness: Harness,
    runtime: Runtime,
    queue: RecordingQueue,
) -> None:
    harness.link_runner(harness.add_athlete())

    first, again = client.post(HOOK, json=EVENT), client.post(HOOK, json=EVENT)

    assert (first.json, again.json) == ({}, {})
    assert list_stored_events(runtime) == 1
    assert Job.INBOX in queue.wakes


@pytest.mark.parametrize(
    "changes", [{"owner_id": 999}, {"object_type": "segment"}, {"aspect_type": "merge"}]
)
def test_what_concerns_nobody_here_is_taken_and_dropped(
    client: FlaskClient, runtime: Runtime, changes: dict[str, object]
) -> None:
    answer = client.post(HOOK, json=EVENT | changes)

    assert (answer.status_code, answer.json) == (200, {})
    assert list_stored_events(runtime) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"object_type": "activity"}',
        b'{"object_id": "x", "object_type": {}}',
        b"[" * 5000,
    ],
)
def test_a_malformed_event_is_told_so_in_json(client: FlaskClient, body: bytes) -> None:
    answer = client.post(HOOK, data=body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json == {"error": "This is not an event."}


@pytest.mark.parametrize("secret", ["guess", "hook2", "h%C3%B6ok"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_secret_finds_nothing(
    client: FlaskClient, secret: str, method: str
) -> None:
    answer = client.open(f"/hooks/strava/{secret}", method=method, json=EVENT)

    assert answer.status_code == 404


def test_an_oversized_event_is_refused(client: FlaskClient) -> None:
    answer = client.post(HOOK, data=b" " * 70_000, content_type="application/json")

    assert answer.status_code == 413
    assert answer.is_json


def no_pages(*_: object) -> list[bytes]:
    raise AssertionError("this should not have reached the pages")


def test_an_event_never_reaches_the_pages(
    client: FlaskClient, harness: Harness, runtime: Runtime
) -> None:
    harness.link_runner(harness.add_athlete())
    raw_client = Client(WebhookMiddleware(no_pages, runtime))

    answer = raw_client.post(HOOK, json=EVENT, base_url="http://127.0.0.1:8000")

    assert isinstance(client.application.wsgi_app, WebhookMiddleware)
    assert list_stored_events(runtime) == 1
    assert (answer.status_code, answer.json) == (200, {})


def test_the_door_is_as_strict_as_the_pages(client: FlaskClient) -> None:
    at_the_door = client.post(HOOK, json=EVENT)
    from_a_page = client.get(f"{HOOK}?hub.verify_token=verify&hub.challenge=1")

    either = {"Content-Length", "Vary"}
    first, second = (
        {name: value for name, value in answer.headers.items() if name not in either}
        for answer in (at_the_door, from_a_page)
    )
    assert first == second


def test_an_event_under_another_name_is_refused(client: FlaskClient) -> None:
    answer = client.post(HOOK, json=EVENT, base_url="http://elsewhere.example")

    assert answer.status_code == 421


def test_an_event_with_much_around_it_is_taken_all_the_same(
    client: FlaskClient, harness: Harness, runtime: Runtime
) -> None:
    harness.link_runner(harness.add_athlete())

    client.post(HOOK, json=EVENT | {"padding": " " * 20_000})

    assert list_stored_events(runtime) == 1


def test_an_event_that_cannot_be_stored_is_not_acknowledged(
    client: FlaskClient, runtime: Runtime
) -> None:
    Model.metadata.drop_all(runtime.db.engine)

    answer = client.post(HOOK, json=EVENT)

    assert answer.status_code == 500
    assert answer.json
    assert set(answer.json) == {"error", "code"}
