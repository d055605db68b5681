"""Events that are none: never a page of ours, never a row, and an answer like any."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, select
from werkzeug.test import TestResponse

from sync.bounds import MAX_ID
from sync.inbox import subscription
from sync.inbox.rules import MAX_WAITING
from sync.models import Connection, Event
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.web.webhooks.test_webhooks import EVENT, HOOK, list_stored_events

# One set of tables for all examples: none of them may leave anything there.
FUZZ = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
both_databases = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql"], indirect=True
)

odd_text = st.sampled_from(
    (
        "",
        "\0",
        "a\0b",
        "\ud800",
        "٣",
        "2026-01-01",
        "1777620000",
        "NaN",
        "1e3",
        "x" * 900,
    )
)
texts = odd_text | st.text(max_size=20)
numbers = (
    st.integers(max_value=-1)
    | st.integers(min_value=MAX_ID + 1)
    | st.floats()
    | st.sampled_from((1.0, 1e300, -0.0, 2**64))
)
junk = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=8,
)
not_text = junk.filter(lambda value: not isinstance(value, str))
malformed_fields = st.one_of(
    st.tuples(
        st.sampled_from(("object_id", "owner_id", "subscription_id", "event_time")),
        junk.filter(lambda value: value != 0 or isinstance(value, float | bool)),
    ),
    st.tuples(st.just("event_time"), st.integers(0, 31_535_999)),
    st.tuples(st.just("event_time"), st.integers(7_258_032_001, 10**15)),
    st.tuples(st.sampled_from(("object_type", "aspect_type")), not_text),
    st.tuples(
        st.just("updates"), not_text.filter(lambda value: not isinstance(value, dict))
    ),
    st.tuples(
        st.just("updates"),
        st.dictionaries(
            st.sampled_from(("type", "private", "authorized")),
            not_text.filter(lambda value: not isinstance(value, bool)),
            min_size=1,
        ),
    ),
)


@both_databases
@FUZZ
@given(field=malformed_fields)
@example(field=("event_time", "2026-01-01"))
@example(field=("event_time", True))
@example(field=("object_id", "15830000009"))
@example(field=("owner_id", 7.0))
def test_a_malformed_event_is_refused_and_leaves_nothing(
    client: FlaskClient, harness: Harness, field: tuple[str, Any]
) -> None:
    link_once(harness)

    answer = client.post(HOOK, data=json.dumps(EVENT | dict([field])))

    assert answer.status_code == 400
    assert list_stored_events(harness.runtime) == 0


@both_databases
@FUZZ
@given(body=st.binary(max_size=60) | junk.map(json.dumps).map(str.encode))
@example(body=b'{"object_type":' * 900)
def test_what_is_no_event_is_borne(
    client: FlaskClient, harness: Harness, body: bytes
) -> None:
    link_once(harness)

    assert client.post(HOOK, data=body).status_code == 400
    assert list_stored_events(harness.runtime) == 0


@both_databases
@FUZZ
@given(
    updates=st.dictionaries(
        st.sampled_from(("title", "type", "private", "authorized")) | texts,
        texts | st.booleans(),
    )
)
@example(updates={"title": "Ran with Ada \0", "type": "Ride \0"})
def test_of_updates_nothing_is_stored_that_a_runner_wrote(
    client: FlaskClient, harness: Harness, updates: dict[str, Any]
) -> None:
    link_once(harness)

    answer = client.post(HOOK, data=json.dumps(EVENT | {"updates": updates}))
    stored = take_stored_updates(harness.runtime)

    assert answer.status_code < 500
    for kept in stored:
        assert kept.keys() <= {"type", "private", "authorized"}
        assert all(word.isascii() and word.isalpha() for word in kept.values())


@both_databases
def test_the_answer_to_an_event_tells_nothing(
    client: FlaskClient, harness: Harness
) -> None:
    link_once(harness)
    subscription.save(harness.runtime, 1)
    cases: dict[str, dict[str, Any]] = {
        "new": {},
        "again": {},
        "about nobody": {"owner_id": 999},
        "of another subscription": {"subscription_id": 2},
        "of another subject": {"object_type": "segment"},
        "of another aspect": {"aspect_type": "merge"},
    }
    answers, statements = {}, {}

    client.post(HOOK, json=EVENT | {"owner_id": 998})  # compiles what all of them run
    client.post(HOOK, json=EVENT | {"object_id": 1})
    for name, changes in cases.items():
        with record_statements(harness.runtime.db.engine) as recorded:
            answer = client.post(HOOK, json=EVENT | changes)
        answers[name] = describe(answer)
        statements[name] = len(recorded)
    for number in range(2, MAX_WAITING):
        client.post(HOOK, json=EVENT | {"object_id": number})
    # The first that is left to the list brings a reconciliation forward.
    client.post(HOOK, json=EVENT | {"object_id": MAX_WAITING})
    with record_statements(harness.runtime.db.engine) as recorded:
        answer = client.post(HOOK, json=EVENT | {"object_id": MAX_WAITING + 1})
    answers["one too many"] = describe(answer)
    statements["one too many"] = len(recorded)

    assert list_stored_events(harness.runtime) == MAX_WAITING
    assert len(set(map(str, answers.values()))) == 1
    assert answers["new"][:2] == (200, "{}\n")
    assert len(set(statements.values())) == 1, statements


@contextmanager
def record_statements(engine: Engine) -> Generator[list[str]]:
    recorded: list[str] = []

    def record(*arguments: Any) -> None:
        recorded.append(arguments[2])

    event.listen(engine, "before_cursor_execute", record)
    yield recorded
    event.remove(engine, "before_cursor_execute", record)


def link_once(harness: Harness) -> None:
    with harness.runtime.db.read_only() as session:
        is_linked = session.scalar(select(Connection.runner_id)) is not None
    if not is_linked:
        harness.link_runner(harness.add_athlete())


def take_stored_updates(runtime: Runtime) -> list[dict[str, Any]]:
    with runtime.db.transaction() as session:
        return list(session.scalars(delete(Event).returning(Event.updates)))


def describe(answer: TestResponse) -> tuple[int, str, str]:
    """Return everything that a sender sees."""
    return answer.status_code, answer.text, str(answer.headers)
