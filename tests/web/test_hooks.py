"""Strava's door: right secret in, everything kept before the answer goes out."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sync.models import Event
from sync.queue import Work
from sync.runtime import Runtime
from tests.queues import RecordingQueue
from tests.stage import Stage

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


def kept(runtime: Runtime) -> int:
    with runtime.db.reading() as session:
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
    stage: Stage,
    runtime: Runtime,
    queue: RecordingQueue,
) -> None:
    stage.link(stage.athlete())

    first, again = client.post(HOOK, json=EVENT), client.post(HOOK, json=EVENT)

    assert (first.json, again.json) == ({"kept": True}, {"kept": False})
    assert kept(runtime) == 1
    assert Work.INBOX in queue.woken_up


@pytest.mark.parametrize(
    "changes", [{"owner_id": 999}, {"object_type": "segment"}, {"aspect_type": "merge"}]
)
def test_what_concerns_nobody_here_is_taken_and_dropped(
    client: FlaskClient, runtime: Runtime, changes: dict[str, object]
) -> None:
    answer = client.post(HOOK, json=EVENT | changes)

    assert (answer.status_code, answer.json) == (200, {"kept": False})
    assert kept(runtime) == 0


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
