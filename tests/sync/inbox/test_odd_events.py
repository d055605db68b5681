"""Whatever is posted as an event, it is refused or handled, and none stays for ever."""

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import delete, select

from sync.inbox.event import WebhookDelivery
from sync.inbox.receive import receive_delivery
from sync.models import Event, Run
from sync.queue import Job
from tests.support.clock import NOON
from tests.support.harness import Harness
from tests.sync.runs.test_odd_records import odd_values
from workers.jobs import PROCESSORS

# The long form is asked for by hand: FUZZ_EXAMPLES=10000.
LENGTHENED_BY = int(os.environ.get("FUZZ_EXAMPLES", "0"))
EVENT: dict[str, Any] = {
    "object_type": "activity",
    "object_id": 1,
    "aspect_type": "create",
    "owner_id": 7,
    "subscription_id": 1,
    "event_time": int(NOON.timestamp()),
    "updates": {},
}
KINDS: dict[str, Any] = {
    "object_type": st.sampled_from(["activity", "athlete", "challenge"]),
    "aspect_type": st.sampled_from(["create", "update", "delete", "join"]),
    "object_id": st.integers(0, 5),
    "updates": st.dictionaries(
        st.sampled_from(["title", "type", "private", "authorized", "new"]),
        st.sampled_from(["true", "false", "Ride", "x" * 300]) | odd_values,
        max_size=3,
    ),
}


@st.composite
def odd_events(draw: st.DrawFn) -> str:
    """Take an event and replace up to three fields, by what fits and what does not."""
    event = dict(EVENT)
    fields = st.sampled_from([*EVENT, *KINDS])
    for field in draw(st.lists(fields, min_size=1, max_size=3)):
        is_plausible = field in KINDS and draw(st.integers(0, 3)) > 0
        event[field] = draw(KINDS[field] if is_plausible else odd_values)
    body = json.dumps(event)
    end = draw(st.sampled_from([None] * 9 + [len(body) // 2]))
    return body[:end] + draw(st.sampled_from([""] * 9 + ["[" * 3000, "\x00"]))


def parse(body: str) -> WebhookDelivery | None:
    try:
        return WebhookDelivery.model_validate_json(
            body.encode("utf-8", "surrogatepass")
        )
    except ValidationError:
        return None


@given(odd_events())
@settings(max_examples=LENGTHENED_BY or 500)
def test_every_body_is_an_event_or_refused(body: str) -> None:
    delivery = parse(body)

    assert delivery is None or set(delivery.updates.values()) <= {
        "true",
        "false",
        "other",
    }


@pytest.mark.slow
def test_no_event_stays_for_ever_or_stops_the_next(harness: Harness) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    seen = 0

    @given(st.lists(odd_events(), min_size=1, max_size=4))
    @settings(max_examples=LENGTHENED_BY // 4 or 60)
    def deliver_beside_a_sound_one(bodies: list[str]) -> None:
        nonlocal seen
        seen += 1
        for delivery in filter(None, map(parse, bodies)):
            if not delivery.is_revoking:
                receive_delivery(harness.runtime, delivery)
        run = harness.finish_run(athlete, ended_minutes_ago=5)
        harness.deliver_event(athlete, run.id, "create")
        for minutes in (0, 1, 3, 11, 20, 20, 60):
            harness.advance_clock(minutes=minutes)
            PROCESSORS[Job.INBOX](harness.runtime)
        with harness.runtime.db.transaction() as session:
            stored = session.scalars(select(Run.source_id)).all()
            waiting = session.scalars(
                select(Event.id).where(Event.due_at.is_not(None))
            ).all()
            session.execute(delete(Event))
        assert run.id in stored
        assert waiting == []
        harness.advance_clock(days=1)

    deliver_beside_a_sound_one()
    assert seen >= 60
