"""For machines: up, ready, and how much there is of everything."""

from flask.testing import FlaskClient
from pydantic import SecretStr

from sync.models import Model
from sync.runtime import Runtime
from tests.servers import free_port
from tests.stage import Stage
from tests.web.test_security import elsewhere


def test_the_process_says_that_it_is_up(client: FlaskClient) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_ready_tells_how_late_the_work_is(client: FlaskClient, stage: Stage) -> None:
    stage.link(stage.athlete())
    stage.pass_time(minutes=3)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json
    assert answer.json["database"] == "ok"
    assert answer.json["oldest_due_s"]["backfill"] == 180


def test_not_ready_without_tables(client: FlaskClient, runtime: Runtime) -> None:
    Model.metadata.drop_all(runtime.db.engine)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json
    assert answer.json["database"] == "down"
    assert client.get("/healthz").status_code == 200


def test_not_ready_without_redis(runtime: Runtime) -> None:
    client = elsewhere(runtime, redis_url=f"redis://127.0.0.1:{free_port()}/0")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json
    assert answer.json["redis"] == "down"


def test_metrics_are_counts(client: FlaskClient, stage: Stage) -> None:
    stage.link(stage.athlete())

    text = client.get("/metrics").text

    assert 'moodmiles_rows{table="runners"} 1.0' in text
    assert 'moodmiles_due{work="backfill"} 1.0' in text
    assert "example.org" not in text


def test_metrics_ask_for_their_token(runtime: Runtime) -> None:
    client = elsewhere(runtime, metrics_token=SecretStr("let me see"))

    without = client.get("/metrics")
    with_it = client.get("/metrics", headers={"Authorization": "Bearer let me see"})

    assert (without.status_code, with_it.status_code) == (401, 200)


def test_a_public_host_without_token_shows_no_metrics(runtime: Runtime) -> None:
    client = elsewhere(runtime, public_url="https://moodmiles.example")

    assert client.get("/metrics").status_code == 404
