"""Whose events are taken, which are counted, and how few reads they cost."""

import hmac
from dataclasses import replace
from hashlib import sha256

import pytest
from pydantic import SecretStr

from sync import counters
from sync.inbox import handle, receive, subscription
from sync.inbox.signature import verdict
from sync.models import Run
from sync.runtime import Runtime
from sync.settings import Settings
from sync.simulator import activities
from sync.simulator.records import Fault
from tests.support.harness import ALL_BOXES, Stage
from tests.sync.inbox.test_handle import athlete_of, runs_of

SECRET = "what only Strava knows"
BODY = b'{"object_type":"activity"}'


@pytest.fixture
def linked(stage: Stage) -> Stage:
    stage.link(stage.athlete())
    stage.work()
    stage.pass_time(hours=3)
    return stage


def counts(runtime: Runtime) -> dict[str, int]:
    with runtime.db.reading() as session:
        return counters.counted(session)


def signed(at_s: int, body: bytes = BODY, secret: str = SECRET) -> str:
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
    linked: Stage,
) -> None:
    run = linked.run(athlete_of(linked))
    subscription.remember(linked.runtime, 77)

    kept = linked.tell(athlete_of(linked), run.id, "create")

    assert not kept
    assert counts(linked.runtime) == {"event of another subscription": 1}


def test_events_of_our_subscription_are_kept(linked: Stage) -> None:
    run = linked.run(athlete_of(linked))
    subscription.remember(linked.runtime, 77)
    subscription.remember(linked.runtime, 1)

    assert linked.tell(athlete_of(linked), run.id, "create")


def test_events_about_nobody_here_are_counted(linked: Stage) -> None:
    stranger = linked.athlete(99)

    linked.tell(stranger, 1, "create")
    linked.tell(stranger, 2, "create")

    assert counts(linked.runtime) == {"event about nobody here": 2}


@pytest.mark.parametrize(
    ("header", "now_s", "expected"),
    [
        (signed(1000), 1000, "right"),
        (signed(1000), 1299, "right"),
        (signed(1000), 1301, "too old"),
        (signed(1000), 600, "too old"),
        (signed(1000, secret="another"), 1000, "wrong"),
        (signed(1000, body=b"{}"), 1000, "wrong"),
        ("t=1000", 1000, "wrong"),
        ("t=٣,v1=00", 1000, "wrong"),
        ("nonsense", 1000, "wrong"),
        ("", 1000, "missing"),
        (None, 1000, "missing"),
    ],
)
def test_signatures(header: str | None, now_s: int, expected: str) -> None:
    assert verdict(header, BODY, secret=SECRET, now_s=now_s) == expected


def test_without_the_check_every_delivery_is_taken(runtime: Runtime) -> None:
    assert receive.is_genuine(runtime, None, BODY)
    assert counts(runtime) == {}


def test_observing_takes_and_counts_everything(runtime: Runtime) -> None:
    observing = with_signature(runtime, "observe")
    now_s = int(runtime.now().timestamp())

    taken = [
        receive.is_genuine(observing, header, BODY) for header in (None, signed(now_s))
    ]

    assert taken == [True, True]
    assert counts(runtime) == {"signature missing": 1, "signature right": 1}


def test_enforcing_takes_only_what_is_rightly_signed(runtime: Runtime) -> None:
    enforcing = with_signature(runtime, "enforce")
    now_s = int(runtime.now().timestamp())

    taken = [
        receive.is_genuine(enforcing, header, BODY)
        for header in (None, signed(now_s), signed(now_s, secret="another"))
    ]

    assert taken == [False, True, False]
    assert counts(runtime) == {"signature missing": 1, "signature wrong": 1}


def test_several_new_runs_of_one_runner_cost_one_list_read(linked: Stage) -> None:
    athlete = athlete_of(linked)
    runs = [
        linked.run(athlete, ended_minutes_ago=60 * hours, distance_m=1000 * hours)
        for hours in (1, 2, 3)
    ]
    before = linked.reads()

    for run in runs:
        linked.tell(athlete, run.id, "create")
    linked.work()

    assert linked.reads() - before == 1
    assert sorted(run.distance_m for run in runs_of(linked)) == [1000, 2000, 3000]


def test_what_the_list_does_not_show_is_asked_for_alone(linked: Stage) -> None:
    athlete = athlete_of(linked)
    shown, deleted = (
        linked.run(athlete, ended_minutes_ago=60 * hours) for hours in (1, 4)
    )
    with linked.world.change():
        activities.delete(linked.world, deleted)
    before = linked.reads()

    for run in (shown, deleted):
        linked.tell(athlete, run.id, "create")
    linked.work()

    assert linked.reads() - before == 2
    assert [run.source_id for run in runs_of(linked)] == [shown.id]


def test_a_run_that_came_and_went_costs_one_read(linked: Stage) -> None:
    athlete = athlete_of(linked)
    run = linked.run(athlete)
    with linked.world.change():
        activities.delete(linked.world, run)
    before = linked.reads()

    linked.tell(athlete, run.id, "create")
    linked.tell(athlete, run.id, "update", type="Run")
    linked.tell(athlete, run.id, "delete")
    linked.work()

    assert linked.reads() - before == 1
    assert runs_of(linked) == []


def test_a_list_read_that_fails_is_tried_again(linked: Stage) -> None:
    athlete = athlete_of(linked)
    runs = [linked.run(athlete, ended_minutes_ago=90 * i) for i in (1, 2)]
    with linked.world.change():
        linked.world.faults.put(Fault(id=1, kind="html", on="list", times=1))
    for run in runs:
        linked.tell(athlete, run.id, "create")

    linked.work()
    assert runs_of(linked) == []
    linked.pass_time(minutes=5)
    handle.drain(linked.runtime)

    assert len(runs_of(linked)) == 2


def test_a_run_gone_private_stays_the_runner_s_without_a_read(stage: Stage) -> None:
    athlete = stage.athlete()
    boxes = replace(ALL_BOXES, private=True)
    stage.link(athlete, scope=boxes.scope, boxes=boxes)
    stage.work()
    run = stage.run(athlete)
    stage.tell(athlete, run.id, "create")
    stage.work()
    before = stage.reads()

    stage.tell(athlete, run.id, "update", private="true")
    stage.work()

    [kept] = runs_of(stage)
    assert stage.reads() == before
    assert kept.visibility == "only_me"
    assert kept.hidden_at is None


def test_columns_are_named_as_we_name_them() -> None:
    forbidden = {"name", "description", "start_latlng", "average_heartrate", "kudos"}

    assert not forbidden & set(Run.__table__.columns.keys())
