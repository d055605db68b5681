"""For machines: up, ready, and how much there is of everything."""

import re

from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import update

from sync.models import Connection, Model, QuarantinedRecord, ReconcileState
from sync.runners import deletion
from sync.runtime import Runtime
from sync.simulator.records import SimulatedFault
from sync.strava.client import HttpStrava
from tests.support.harness import Harness
from tests.support.servers import free_port
from tests.web.http.test_headers import open_other_app


def test_the_process_says_that_it_is_up(client: FlaskClient) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_ready_tells_how_late_the_work_is(
    client: FlaskClient, harness: Harness
) -> None:
    harness.link_runner(harness.add_athlete())
    harness.advance_clock(minutes=3)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json
    assert answer.json["database"] == "ok"
    assert answer.json["oldest_due_s"]["backfill"] == 180


def test_ready_and_metrics_tell_of_a_deletion_that_is_overdue(
    client: FlaskClient, harness: Harness
) -> None:
    deletion.request_deletion(
        harness.runtime, harness.link_runner(harness.add_athlete())
    )
    harness.advance_clock(minutes=15)

    ready, metrics = client.get("/readyz").json, client.get("/metrics").text

    assert ready
    assert ready["oldest_due_s"]["leaving"] == 300
    assert 'moodmiles_due{work="leaving"} 1.0' in metrics
    assert 'moodmiles_oldest_due_seconds{work="leaving"} 300.0' in metrics


def test_not_ready_without_tables(client: FlaskClient, runtime: Runtime) -> None:
    Model.metadata.drop_all(runtime.db.engine)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json
    assert answer.json["database"] == "down"
    assert client.get("/healthz").status_code == 200


def test_not_ready_without_redis(runtime: Runtime) -> None:
    client = open_other_app(runtime, redis_url=f"redis://127.0.0.1:{free_port()}/0")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json
    assert answer.json["redis"] == "down"


def test_metrics_are_counts(client: FlaskClient, harness: Harness) -> None:
    harness.link_runner(harness.add_athlete())

    text = client.get("/metrics").text

    assert 'moodmiles_rows{table="runners"} 1.0' in text
    assert 'moodmiles_due{work="backfill"} 1.0' in text
    assert "example.org" not in text


def test_ready_names_what_ails_strava_for_a_while(
    client: FlaskClient, harness: Harness
) -> None:
    with harness.world.transaction():
        harness.world.faults.put(SimulatedFault(id=1, kind="html", on="list", times=1))
    harness.link_runner(harness.add_athlete())
    before = client.get("/readyz").json
    harness.process_all_due()

    now = client.get("/readyz")
    harness.advance_clock(minutes=61)
    later = client.get("/readyz").json

    assert before
    assert now.json
    assert later
    assert [before["strava"], now.json["strava"], later["strava"]] == [
        "ok",
        "StravaUnavailable",
        "ok",
    ]
    assert now.status_code == 200  # the pages do without Strava


def test_metrics_tell_how_the_work_stands(
    client: FlaskClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    harness.deliver_event(harness.add_athlete(99), 1, "create")
    with runtime.db.transaction() as session:
        session.add(
            QuarantinedRecord(
                runner_id=runner_id, source_id=1, reason="odd", at=harness.clock()
            )
        )
        session.execute(
            update(ReconcileState).values(stopped_for="would delete everything")
        )
        session.execute(update(Connection).values(broken_at=harness.clock()))

    text = client.get("/metrics").text

    for line in (
        'moodmiles_noted{what="event about nobody here"} 1.0',
        "moodmiles_set_aside_records 1.0",
        "moodmiles_stopped_sweeps 1.0",
        "moodmiles_broken_connections 1.0",
        'moodmiles_oldest_due_seconds{work="inbox"} 0.0',
    ):
        assert line in text


def test_metrics_tell_what_is_left_of_strava_s_limits(
    client: FlaskClient, runtime: Runtime
) -> None:
    assert isinstance(runtime.strava, HttpStrava)
    until = runtime.strava.budget.update_from_headers(
        {"X-RateLimit-Limit": "400,4000", "X-RateLimit-Usage": "400,900"}, refused=True
    )

    text = client.get("/metrics").text

    for line in (
        'moodmiles_strava_requests_used{kind="overall",window="quarter"} 400.0',
        'moodmiles_strava_requests_limit{kind="overall",window="day"} 4000.0',
        'moodmiles_strava_requests_limit{kind="read",window="day"} 1000.0',
        "moodmiles_strava_budget_shared 0.0",
    ):
        assert line in text
    [paused] = re.findall(r"^\w+_paused_until_seconds (\S+)$", text, re.MULTILINE)
    assert float(paused) == until.timestamp()


def test_metrics_ask_for_their_token(runtime: Runtime) -> None:
    client = open_other_app(runtime, metrics_token=SecretStr("let me see"))

    without = client.get("/metrics")
    with_it = client.get("/metrics", headers={"Authorization": "Bearer let me see"})

    assert (without.status_code, with_it.status_code) == (401, 200)


def test_a_public_host_without_token_shows_no_metrics(runtime: Runtime) -> None:
    client = open_other_app(runtime, public_url="https://moodmiles.example")

    assert client.get("/metrics").status_code == 404
