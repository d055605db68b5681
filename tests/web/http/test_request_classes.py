"""Every address has a limit, but those that say why they have none."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sync.models import Runner
from sync.runtime import Runtime
from sync.surveys import unsubscribe
from tests.support.concurrent_clients import CLIENT_IP, OTHER_CLIENT_IP
from tests.support.harness import Harness
from tests.support.route_access import list_addresses
from tests.web.conftest import PageClient
from web.app import create_app
from web.http.limits import CLASS_LIMITS, LIMITS, RateLimitExceeded, count_request
from web.http.request_classes import CLASS_BY_ENDPOINT, UNLIMITED, RequestClass

# A request of each class; to read a page stands for all others.
EXAMPLES = {
    RequestClass.READING: ("GET", "/privacy"),
    RequestClass.WRITING: ("POST", "/logout"),
    RequestClass.NUMBERS: ("GET", "/dashboard/data.json"),
    RequestClass.FIXTURE: ("GET", "/states/run"),
}


@pytest.fixture
def app(client: FlaskClient) -> Flask:
    return client.application


def use_up(app: Flask, client_ip: str, *, cookie: str = "") -> None:
    """Make as many requests of each class as a network, or a runner, may make."""
    for request_class, (method, path) in EXAMPLES.items():
        limit = CLASS_LIMITS[request_class]
        amount = limit.runner.amount if cookie else limit.network.amount
        for _ in range(amount):
            with (
                app.test_request_context(
                    path,
                    method=method,
                    headers={"Cookie": cookie} if cookie else {},
                    environ_overrides={"REMOTE_ADDR": client_ip},
                ),
                suppress(RateLimitExceeded),
            ):
                count_request()


def list_requests(app: Flask) -> Iterator[tuple[str, str]]:
    """Yield a method and a path of every address that has a limit."""
    for address in list_addresses(app, {"id": "1"}):
        if address.endpoint not in UNLIMITED:
            yield address.method, address.path
            if address.method == "GET":
                yield "HEAD", address.path


def test_what_has_no_limit_or_a_special_one_exists_and_says_why(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}

    assert set(UNLIMITED) | set(CLASS_BY_ENDPOINT) <= endpoints
    assert not set(UNLIMITED) & set(CLASS_BY_ENDPOINT)
    assert all(len(reason.split()) > 4 for reason in UNLIMITED.values())


def test_every_address_is_limited_for_a_network(app: Flask) -> None:
    use_up(app, CLIENT_IP)
    client = app.test_client()
    environ = {"REMOTE_ADDR": CLIENT_IP}
    requests = [*list_requests(app), ("GET", "/nowhere"), ("PUT", "/settings")]

    refused = {
        (method, path): client.open(path, method=method, environ_overrides=environ)
        for method, path in requests
    }
    next_door = client.get("/", environ_overrides={"REMOTE_ADDR": OTHER_CLIENT_IP})

    assert len(refused) > 80
    assert {answer.status_code for answer in refused.values()} == {429}
    assert all(
        1 <= int(answer.headers["Retry-After"]) <= 60 for answer in refused.values()
    )
    assert next_door.status_code == 200


def test_every_address_is_limited_for_a_runner_wherever_they_are(
    app: Flask, browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    cookie = browser.client.get_cookie("moodmiles", domain="127.0.0.1")
    assert cookie is not None
    use_up(app, "127.0.0.1", cookie=f"moodmiles={cookie.value}")
    by_link = {"survey", "unsubscribe", "pre_run"}
    other_app_client = PageClient(app.test_client(), runtime)

    seen = {
        (address.method, address.path): browser.client.open(
            address.path, method=address.method
        ).status_code
        for address in list_addresses(app, {"id": str(runner_id)})
        if address.endpoint not in UNLIMITED
        and address.endpoint.partition(".")[0] not in by_link
    }

    assert set(seen.values()) == {429}
    assert other_app_client.open("/").status_code == 200


def test_a_view_that_says_nothing_is_limited(runtime: Runtime) -> None:
    app = create_app(runtime)
    app.add_url_rule("/new", "new", lambda: "new", methods=["GET", "POST"])
    client, environ = app.test_client(), {"REMOTE_ADDR": CLIENT_IP}
    before = client.get("/new", environ_overrides=environ)

    use_up(app, CLIENT_IP)

    assert before.status_code == 200
    assert client.get("/new", environ_overrides=environ).status_code == 429


def test_what_a_probe_or_strava_asks_for_is_never_limited(app: Flask) -> None:
    use_up(app, CLIENT_IP)
    client, environ = app.test_client(), {"REMOTE_ADDR": CLIENT_IP}

    seen = []
    for path in ("/healthz", "/readyz", "/static/app.js", "/hooks/strava/hook"):
        with client.get(path, environ_overrides=environ) as answer:
            seen.append(answer.status_code)

    assert seen == [200, 200, 200, 403]


def test_a_refused_page_says_how_long_and_a_refused_form_that_it_saved_nothing(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    form = {"units": "mi", "csrf": browser.get_csrf_token()}
    cookie = browser.client.get_cookie("moodmiles", domain="127.0.0.1")
    assert cookie is not None
    use_up(browser.client.application, "127.0.0.1", cookie=f"moodmiles={cookie.value}")

    page = browser.open("/settings")
    numbers = browser.open("/dashboard/data.json")
    saved = browser.client.post("/settings", data=form)

    assert [page.status_code, numbers.status_code, saved.status_code] == [429] * 3
    assert "then load this page again" in page.text
    assert numbers.json == {"error": "That was a lot in a short time."}
    assert "what you wrote is still there" in saved.text
    with runtime.db.read_only() as session:
        runner = session.scalars(select(Runner).where(Runner.id == runner_id)).one()
        assert runner.preferences.units == "km"


@pytest.mark.parametrize("suffix", ["", "/settings"])
def test_a_mails_link_changes_things_only_so_often(
    client: FlaskClient, harness: Harness, runtime: Runtime, suffix: str
) -> None:
    runner_ids = [harness.link_runner(harness.add_athlete(id_)) for id_ in (7, 8)]
    paths = [
        f"/u/{unsubscribe.create_token(runtime, runner_id)}{suffix}"
        for runner_id in runner_ids
    ]
    most = LIMITS["preference_link"].subject.amount

    seen = [client.post(paths[0]).status_code for _ in range(most + 1)]
    other = client.post(paths[1]).status_code

    assert 429 not in [*seen[:-1], other]
    assert seen[-1] == 429


def test_an_ipv6_site_may_do_what_four_of_its_networks_may(app: Flask) -> None:
    client = app.test_client()

    def open_from(address: str) -> int:
        environ = {"REMOTE_ADDR": address}
        return client.get("/privacy", environ_overrides=environ).status_code

    for number in range(4):
        use_up(app, f"2001:db8:1:{number}::1")
    of_full_network = open_from("2001:db8:1:1::2")
    of_new_network = open_from("2001:db8:1:99::1")
    of_next_site = open_from("2001:db8:2::1")

    assert [of_full_network, of_new_network, of_next_site] == [429, 429, 200]
