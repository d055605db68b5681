"""What goes wrong on request goes wrong as it does at Strava."""

import pytest
import requests

from sync.simulator.records import Athlete
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from tests.support.servers import TIMEOUT_S
from tests.sync.simulator.api_client import SimulatorClient


@pytest.fixture
def token(caller: SimulatorClient, athlete: Athlete) -> str:
    return str(caller.link(7)["access_token"])


def inject_fault(caller: SimulatorClient, **fault: object) -> None:
    answer = caller.http.post("/control/faults", json=fault)
    assert answer.status_code == 201, answer.json


def collect_statuses(caller: SimulatorClient, token: str, calls: int) -> list[int]:
    return [caller.get("/athlete", token).status_code for _ in range(calls)]


def test_the_next_calls_fail_with_a_page_in_html(
    caller: SimulatorClient, token: str
) -> None:
    inject_fault(caller, status=597, times=2)

    first = caller.get("/athlete", token)

    assert (first.status_code, first.mimetype) == (597, "text/html")
    assert collect_statuses(caller, token, 2) == [597, 200]


def test_a_fault_without_an_end_lasts_until_it_is_healed(
    caller: SimulatorClient, token: str
) -> None:
    inject_fault(caller, status=500)
    broken = collect_statuses(caller, token, 3)

    caller.http.delete("/control/faults")

    assert broken == [500, 500, 500]
    assert collect_statuses(caller, token, 1) == [200]


def test_a_fault_can_be_kept_to_one_kind_of_call(
    caller: SimulatorClient, token: str
) -> None:
    inject_fault(caller, status=503, on="list", times=1)

    assert collect_statuses(caller, token, 1) == [200]
    assert caller.get("/athlete/activities", token).status_code == 503


@pytest.mark.parametrize(("status", "message"), [(429, "Rate"), (403, "Forbidden")])
def test_refusals_keep_their_bodies(
    caller: SimulatorClient, token: str, status: int, message: str
) -> None:
    inject_fault(caller, status=status, times=1)

    answer = caller.get("/athlete", token)

    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["message"].startswith(message)


def test_a_good_status_can_come_with_html_or_nothing(
    caller: SimulatorClient, token: str
) -> None:
    inject_fault(caller, kind="html", times=1)
    page = caller.get("/athlete", token)
    inject_fault(caller, kind="empty", times=1)
    nothing = caller.get("/athlete", token)

    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert (nothing.status_code, nothing.data) == (200, b"")


def test_a_slow_answer_is_still_an_answer(caller: SimulatorClient, token: str) -> None:
    inject_fault(caller, kind="slow", seconds=0.01, times=1)

    assert collect_statuses(caller, token, 1) == [200]


def test_a_connection_can_be_dropped(world: World, caller: SimulatorClient) -> None:
    inject_fault(caller, kind="reset", times=1)

    with serve_in_thread(world) as url:
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{url}/api/v3/athlete", timeout=TIMEOUT_S)
        after = requests.get(f"{url}/api/v3/athlete", timeout=TIMEOUT_S)

    assert after.status_code == 401


def test_pages_and_controls_never_fail(caller: SimulatorClient) -> None:
    inject_fault(caller, status=500)

    assert caller.http.get("/").status_code == 200
    assert caller.http.get("/control/state").status_code == 200
