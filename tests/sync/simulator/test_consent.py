"""The consent page: what it checks, what it offers, where it sends people."""

from dataclasses import replace

import pytest

from sync.simulator.records import Athlete
from sync.simulator.world import World
from tests.sync.simulator.api_client import SimulatorClient, read_error, read_redirect


def test_the_page_offers_athletes_and_every_requested_permission(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    page = caller.ask_consent(scope="read,activity:read").text

    assert 'value="7" required checked' in page
    assert 'value="read" checked disabled' in page
    assert 'value="activity:read" checked' in page
    assert "activity:read_all" not in page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"client_id": "2"}, "client_id"),
        ({"redirect_uri": "https://evil.example/back"}, "redirect_uri"),
        ({"redirect_uri": "javascript://localhost/"}, "redirect_uri"),
        ({"redirect_uri": "http://[localhost/"}, "redirect_uri"),
        ({"response_type": "token"}, "response_type"),
        ({"scope": ""}, "scope"),
        ({"scope": "read,everything"}, "scope"),
    ],
)
def test_a_wrong_request_is_refused(
    caller: SimulatorClient, wrong: dict[str, str], field: str
) -> None:
    answer = caller.ask_consent(**wrong)

    assert read_error(answer) == (400, "Application", field, "invalid")


def test_the_callback_domain_may_be_the_apps_own(
    caller: SimulatorClient, world: World
) -> None:
    world.put_singleton(replace(world.app, callback_domain="example.org"))

    answer = caller.ask_consent(redirect_uri="https://runs.example.org/back")

    assert answer.status_code == 200


def test_yes_sends_back_a_code_with_state_and_scope(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    answer = caller.decide(athlete=7, scopes=["activity:read"])

    back = read_redirect(answer)
    assert answer.location.startswith("http://localhost/back?")
    assert (back["state"], back["scope"]) == ("abc", "read,activity:read")
    assert caller.exchange(back["code"]).status_code == 200


def test_an_unticked_permission_is_not_granted(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    back = read_redirect(caller.decide(athlete=7, scopes=[]))

    assert back["scope"] == "read"


def test_a_permission_that_was_not_asked_for_cannot_be_granted(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    answer = caller.decide(athlete=7, scopes=["activity:write"], scope="read")

    assert read_redirect(answer)["scope"] == "read"


def test_cancel_sends_back_a_no(caller: SimulatorClient, athlete: Athlete) -> None:
    answer = caller.decide(athlete=7, scopes=[], decision="cancel")

    assert read_redirect(answer) == {"state": "abc", "error": "access_denied"}


def test_nobody_can_be_somebody_unknown(caller: SimulatorClient) -> None:
    answer = caller.decide(athlete=99, scopes=["activity:read"])

    assert answer.status_code == 400


def test_a_full_app_takes_nobody_new(
    caller: SimulatorClient, athlete: Athlete, world: World
) -> None:
    world.put_singleton(replace(world.app, athlete_limit=0))

    answer = caller.decide(athlete=7, scopes=["activity:read"])

    assert answer.status_code == 403
    assert "Limit of connected athletes exceeded" in answer.text


def test_a_full_app_takes_back_who_is_connected(
    caller: SimulatorClient, athlete: Athlete, world: World
) -> None:
    caller.link(7)
    world.put_singleton(replace(world.app, athlete_limit=1))

    answer = caller.decide(athlete=7, scopes=["activity:read"])

    assert "code" in read_redirect(answer)


def test_the_place_may_be_taken_before_the_code_is_exchanged(
    caller: SimulatorClient, athlete: Athlete, world: World
) -> None:
    code = caller.code(7)
    world.put_singleton(replace(world.app, athlete_limit=0))

    answer = caller.exchange(code)

    assert answer.status_code == 403


def test_the_page_of_an_inactive_app_says_so(
    caller: SimulatorClient, world: World
) -> None:
    world.put_singleton(replace(world.app, inactive=True))

    answer = caller.ask_consent()

    assert answer.status_code == 403
