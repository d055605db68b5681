"""Nothing is taken from whoever only looks like Strava, our pages or our name."""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import func, select

from sync.inbox import subscription
from sync.models import Event
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_mail
from tests.support.page_fixtures import build_fresh_run
from tests.support.route_access import get_access, list_addresses
from tests.web.conftest import PageClient
from tests.web.http.test_headers import open_other_app
from tests.web.webhooks.test_webhooks import EVENT, HOOK
from web.app import create_app
from web.http import csrf
from web.http.limit_counters import RateLimiter
from web.http.limits import EXTENSION_KEY

pytestmark = pytest.mark.slow

SIGNING = "a secret that Strava signs with"
# Beyond what Strava's own door takes: such an event goes the long way round.
LONG = {"padding": "x" * 5000}
IDS = {"number": "1", "token": "some-token", "consent": "mood"}


def count_events(runtime: Runtime) -> int:
    with runtime.db.read_only() as session:
        return session.scalar(select(func.count(Event.id))) or 0


def sign_body(body: bytes, at_s: float, secret: str = SIGNING) -> dict[str, str]:
    message = f"{at_s:.0f}.".encode() + body
    digest = hmac.new(secret.encode(), message, sha256).hexdigest()
    return {"X-Strava-Signature": f"t={at_s:.0f},v1={digest}"}


@pytest.fixture
def strict_client(runtime: Runtime, harness: Harness) -> FlaskClient:
    """Return a way to a host that insists on Strava's signature."""
    harness.link_runner(harness.add_athlete())
    return open_other_app(
        runtime, strava_signature="enforce", strava_signing_secret=SecretStr(SIGNING)
    )


@pytest.mark.parametrize("more", [{}, LONG], ids=["short", "long"])
@pytest.mark.parametrize("secret", ["hooc", "hook%00", "HOOK", "hook/x", ""])
def test_an_event_at_a_wrong_address_is_not_kept(
    client: FlaskClient, harness: Harness, secret: str, more: dict[str, str]
) -> None:
    harness.link_runner(harness.add_athlete())

    answer = client.post(f"/hooks/strava/{secret}", json=EVENT | more)

    assert answer.status_code == 404
    assert count_events(harness.runtime) == 0


@pytest.mark.parametrize("more", [{}, LONG], ids=["short", "long"])
def test_an_event_of_another_subscription_is_not_kept(
    client: FlaskClient, harness: Harness, more: dict[str, str]
) -> None:
    harness.link_runner(harness.add_athlete())
    subscription.save(harness.runtime, 2)

    answer = client.post(HOOK, json=EVENT | more)

    assert answer.json == {}
    assert count_events(harness.runtime) == 0


@pytest.mark.parametrize("more", [{}, LONG], ids=["short", "long"])
def test_an_event_that_comes_again_is_kept_once(
    client: FlaskClient, harness: Harness, more: dict[str, str]
) -> None:
    harness.link_runner(harness.add_athlete())

    for _ in range(3):
        client.post(HOOK, json=EVENT | more)

    assert count_events(harness.runtime) == 1


FORGERIES: dict[str, Callable[[bytes, float], tuple[bytes, dict[str, str]]]] = {
    "unsigned": lambda body, _: (body, {}),
    "empty": lambda body, _: (body, {"X-Strava-Signature": ""}),
    "signed by another": lambda body, now: (body, sign_body(body, now, "theirs")),
    "changed since": lambda body, now: (body + b" ", sign_body(body, now)),
    "too old": lambda body, now: (body, sign_body(body, now - 301)),
    "from the future": lambda body, now: (body, sign_body(body, now + 301)),
    "another moment": lambda body, now: (
        body,
        {
            name: value.replace(f"{now:.0f}", f"{now + 1:.0f}")
            for name, value in sign_body(body, now).items()
        },
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_event_that_is_not_rightly_signed_is_not_kept(
    strict_client: FlaskClient, harness: Harness, forgery: str
) -> None:
    genuine = build_create_event(EVENT)
    body, headers = FORGERIES[forgery](genuine, harness.clock().timestamp())

    answer = strict_client.post(HOOK, data=body, headers=headers)

    assert answer.status_code == 403
    assert count_events(harness.runtime) == 0


def test_a_rightly_signed_event_is_kept(
    strict_client: FlaskClient, harness: Harness
) -> None:
    body = build_create_event(EVENT)

    strict_client.post(
        HOOK, data=body, headers=sign_body(body, harness.clock().timestamp())
    )

    assert count_events(harness.runtime) == 1


def build_create_event(event: dict[str, Any]) -> bytes:
    return Flask(__name__).json.dumps(event).encode()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path", ["/", "/dashboard", "/settings/delete", "/s/token", HOOK, "/login"]
)
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:8000.evil.example", "127.0.0.1:1", ""]
)
def test_another_name_is_not_answered(
    client: FlaskClient, runtime: Runtime, method: str, path: str, host: str
) -> None:
    answer = client.open(path, method=method, headers={"Host": host}, json=EVENT)

    ours = answer.location and answer.location.startswith(runtime.settings.public_url)
    assert answer.status_code == 421 or ours, answer.status
    assert "evil" not in answer.text
    assert count_events(runtime) == 0


def test_no_link_follows_a_name_that_a_proxy_was_told(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    harness.link_runner(harness.add_athlete())
    csrf_token = browser.get_csrf_token()
    names = {
        "X-Forwarded-Host": "evil.example",
        "X-Host": "evil.example",
        "Forwarded": "host=evil.example",
    }

    sent = browser.client.post(
        "/login",
        data={"csrf": csrf_token, "email": "runner1@example.org"},
        headers=names,
    )
    page = browser.client.get("/", headers=names)

    assert sent.status_code == 303
    assert "evil" not in page.text + sent.headers["Location"]
    assert "evil" not in str(read_pending_mail(runtime, "sign_in_link"))


def test_every_form_needs_a_token_of_this_browsers(
    harness: Harness, runtime: Runtime
) -> None:
    app = create_app(runtime)
    runner_id, _ = build_fresh_run(harness)
    mine, theirs = (PageClient(app.test_client(), runtime) for _ in range(2))
    mine.sign_in(runner_id)
    mine.open("/dashboard")
    forged = {"missing": {}, "foreign": {"csrf": theirs.get_csrf_token()}}
    anonymous = mine.client.get_cookie("moodmiles-browser", domain="127.0.0.1")

    for one in list_addresses(app, IDS):
        if one.method != "POST" or one.endpoint.split(".")[0] in csrf.EXEMPT_BLUEPRINTS:
            continue
        for what, fields in forged.items():
            app.extensions[EXTENSION_KEY] = RateLimiter("")
            answer = mine.client.post(one.path, data=fields)

            assert answer.status_code == 403, f"{what} token at {one.path}"
    assert anonymous


def test_a_form_from_before_signing_in_is_refused_after_it(
    browser: PageClient, harness: Harness
) -> None:
    token = browser.get_csrf_token()
    browser.sign_in(harness.link_runner(harness.add_athlete()))

    answer = browser.client.post("/settings", data={"csrf": token})

    assert answer.status_code == 403


def test_only_where_the_address_is_the_permission_no_token_is_needed(
    client: FlaskClient,
) -> None:
    exempt = {
        get_access(rule.endpoint)
        for rule in client.application.url_map.iter_rules()
        if rule.endpoint.split(".")[0] in csrf.EXEMPT_BLUEPRINTS
    }

    assert exempt <= {"link", "host"}


@pytest.mark.parametrize("signed_in", [False, True])
def test_no_address_leads_to_a_strangers_site(
    browser: PageClient, harness: Harness, signed_in: bool
) -> None:
    away = "//evil.example"
    if signed_in:
        browser.sign_in(build_fresh_run(harness)[0])
    homes = {
        "",
        "127.0.0.1:8000",
        urlsplit(harness.runtime.settings.strava_site_url)[1],
    }
    names = ("next", "url", "return", "to", "redirect_uri", "saved", "m")
    asked = dict.fromkeys(names, away)

    for one in list_addresses(browser.client.application, IDS):
        if one.method == "GET":
            browser.client.set_cookie("moodmiles-next", away, domain="127.0.0.1")
            answer = browser.client.get(one.path, query_string=asked)

            location = answer.headers.get("Location", "")
            assert urlsplit(location).netloc in homes, one
            assert not location.startswith(("//", "/\\")), one
