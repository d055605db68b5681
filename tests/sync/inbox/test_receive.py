"""Whose events are taken, which are counted, and how few reads they cost."""

import hmac
from dataclasses import replace
from hashlib import sha256

import pytest
from pydantic import SecretStr

from sync import counters
from sync.inbox import handle, receive, subscription
from sync.inbox.receive import judge_signature
from sync.models import Run
from sync.runtime import Runtime
from sync.settings import Settings
from sync.simulator import activities
from sync.simulator.records import SimulatedFault
from tests.support.harness import ALL_CONSENTS, Harness
from tests.sync.inbox.test_handle import get_athlete, list_runs

SECRET = "what only Strava knows"
SECRET_STR = SecretStr(SECRET)
BODY = b'{"object_type":"activity"}'


@pytest.fixture
def linked_harness(harness: Harness) -> Harness:
    harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    harness.advance_clock(hours=3)
    return harness


def read_counters(runtime: Runtime) -> dict[str, int]:
    with runtime.db.read_only() as session:
        return counters.load_counts(session)


def sign_body(at_s: int, body: bytes = BODY, secret: str = SECRET) -> str:
    message = f"{at_s}.".encode() + body
    return f"t={at_s},v1={hmac.new(secret.encode(), message, sha256).hexdigest()}"


def with_signature(runtime: Runtime, mode: str) -> Runtime:
    changes = {"strava_signature": mode, "strava_signing_secret": SecretStr(SECRET)}
    settings = Settings.model_construct(
        **{**dict(runtime.settings), **changes},
    )
    return Runtime(
        settings=settings,
        db=runtime.db,
        queue=runtime.queue,
        strava=runtime.strava,
        sealer=runtime.sealer,
        now=runtime.now,
    )


def test_events_of_another_subscription_are_counted_and_not_kept(
    linked_harness: Harness,
) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    subscription.save(linked_harness.runtime, 77)

    kept = linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")

    assert not kept
    assert read_counters(linked_harness.runtime) == {"event of another subscription": 1}


def test_events_of_our_subscription_are_kept(linked_harness: Harness) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    subscription.save(linked_harness.runtime, 77)
    subscription.save(linked_harness.runtime, 1)

    assert linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")


def test_events_about_nobody_here_are_counted(linked_harness: Harness) -> None:
    other_browser = linked_harness.add_athlete(99)

    linked_harness.deliver_event(other_browser, 1, "create")
    linked_harness.deliver_event(other_browser, 2, "create")

    assert read_counters(linked_harness.runtime) == {"event about nobody here": 2}


@pytest.mark.parametrize(
    ("header", "now_s", "expected"),
    [
        (sign_body(1000), 1000, "right"),
        (sign_body(1000), 1299, "right"),
        (sign_body(1000), 1301, "too old"),
        (sign_body(1000), 600, "too old"),
        (sign_body(1000, secret="another"), 1000, "wrong"),
        (sign_body(1000, body=b"{}"), 1000, "wrong"),
        ("t=1000", 1000, "wrong"),
        ("t=٣,v1=00", 1000, "wrong"),
        ("nonsense", 1000, "wrong"),
        ("", 1000, "missing"),
        (None, 1000, "missing"),
    ],
)
def test_signatures(header: str | None, now_s: int, expected: str) -> None:
    assert judge_signature(header, BODY, secret=SECRET, now_s=now_s) == expected


def test_without_the_check_every_delivery_is_taken(runtime: Runtime) -> None:
    assert receive.is_genuine(with_signature(runtime, "off"), None, BODY)
    assert read_counters(runtime) == {}


def test_observing_takes_and_counts_everything(runtime: Runtime) -> None:
    observing = with_signature(runtime, "observe")
    now_s = int(runtime.now().timestamp())

    taken = [
        receive.is_genuine(observing, header, BODY)
        for header in (None, sign_body(now_s))
    ]

    assert taken == [True, True]
    assert read_counters(runtime) == {"signature missing": 1, "signature right": 1}


def test_without_a_secret_of_its_own_the_client_s_is_tried(runtime: Runtime) -> None:
    settings = runtime.settings.model_copy(
        update={"strava_signature": "observe", "strava_client_secret": SECRET_STR}
    )
    now_s = int(runtime.now().timestamp())

    receive.is_genuine(replace(runtime, settings=settings), sign_body(now_s), BODY)

    assert read_counters(runtime) == {"signature right": 1}


def test_another_subscription_begins_to_count_signatures_anew(runtime: Runtime) -> None:
    observing = with_signature(runtime, "observe")
    subscription.save(runtime, 1)
    receive.is_genuine(observing, None, BODY)

    subscription.save(runtime, 1)
    same = read_counters(runtime)
    subscription.save(runtime, 2)

    assert same == {"signature missing": 1}
    assert read_counters(runtime) == {}


def test_enforcing_takes_only_what_is_rightly_signed(runtime: Runtime) -> None:
    enforcing = with_signature(runtime, "enforce")
    now_s = int(runtime.now().timestamp())

    taken = [
        receive.is_genuine(enforcing, header, BODY)
        for header in (None, sign_body(now_s), sign_body(now_s, secret="another"))
    ]

    assert taken == [False, True, False]
    assert read_counters(runtime) == {"signature missing": 1, "signature wrong": 1}


def test_several_new_runs_of_one_runner_cost_one_list_read(
    linked_harness: Harness,
) -> None:
    athlete = get_athlete(linked_harness)
    runs = [
        linked_harness.finish_run(
            athlete, ended_minutes_ago=60 * hours, distance_m=1000 * hours
        )
        for hours in (1, 2, 3)
    ]
    before = linked_harness.count_strava_reads()

    for run in runs:
        linked_harness.deliver_event(athlete, run.id, "create")
    linked_harness.process_all_due()

    assert linked_harness.count_strava_reads() - before == 1
    assert sorted(run.distance_m for run in list_runs(linked_harness)) == [
        1000,
        2000,
        3000,
    ]


def test_what_the_list_does_not_show_is_asked_for_alone(
    linked_harness: Harness,
) -> None:
    athlete = get_athlete(linked_harness)
    shown, deleted = (
        linked_harness.finish_run(athlete, ended_minutes_ago=60 * hours)
        for hours in (1, 4)
    )
    with linked_harness.world.transaction():
        activities.delete_activity(linked_harness.world, deleted)
    before = linked_harness.count_strava_reads()

    for run in (shown, deleted):
        linked_harness.deliver_event(athlete, run.id, "create")
    linked_harness.process_all_due()

    assert linked_harness.count_strava_reads() - before == 2
    assert [run.source_id for run in list_runs(linked_harness)] == [shown.id]


def test_a_run_that_came_and_went_costs_one_read(linked_harness: Harness) -> None:
    athlete = get_athlete(linked_harness)
    run = linked_harness.finish_run(athlete)
    with linked_harness.world.transaction():
        activities.delete_activity(linked_harness.world, run)
    before = linked_harness.count_strava_reads()

    linked_harness.deliver_event(athlete, run.id, "create")
    linked_harness.deliver_event(athlete, run.id, "update", type="Run")
    linked_harness.deliver_event(athlete, run.id, "delete")
    linked_harness.process_all_due()

    assert linked_harness.count_strava_reads() - before == 1
    assert list_runs(linked_harness) == []


def test_a_list_read_that_fails_is_tried_again(linked_harness: Harness) -> None:
    athlete = get_athlete(linked_harness)
    runs = [
        linked_harness.finish_run(athlete, ended_minutes_ago=90 * i) for i in (1, 2)
    ]
    with linked_harness.world.transaction():
        linked_harness.world.faults.put(
            SimulatedFault(id=1, kind="html", on="list", times=1)
        )
    for run in runs:
        linked_harness.deliver_event(athlete, run.id, "create")

    linked_harness.process_all_due()
    assert list_runs(linked_harness) == []
    linked_harness.advance_clock(minutes=5)
    handle.process_due(linked_harness.runtime)

    assert len(list_runs(linked_harness)) == 2


def test_a_run_gone_private_stays_the_runner_s_without_a_read(harness: Harness) -> None:
    athlete = harness.add_athlete()
    boxes = replace(ALL_CONSENTS, private=True)
    harness.link_runner(athlete, scope=boxes.scope, consents=boxes)
    harness.process_all_due()
    run = harness.finish_run(athlete)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    before = harness.count_strava_reads()

    harness.deliver_event(athlete, run.id, "update", private="true")
    harness.process_all_due()

    [kept] = list_runs(harness)
    assert harness.count_strava_reads() == before
    assert kept.visibility == "only_me"
    assert kept.hidden_at is None


def test_columns_are_named_as_we_name_them() -> None:
    forbidden = {"name", "description", "start_latlng", "average_heartrate", "kudos"}

    assert not forbidden & set(Run.__table__.columns.keys())
