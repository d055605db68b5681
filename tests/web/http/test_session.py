"""Who is signed in, for how long, and where they go afterwards."""

from urllib.parse import parse_qs, urlsplit

import pytest

from sync.runners import sign_in
from sync.runtime import Runtime
from sync.simulator import grants
from sync.strava import SCOPE
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient
from web.app import create_app
from web.http.session import safe_path

PRIVATE = (
    "/dashboard",
    "/dashboard/runs.csv",
    "/dashboard/answers.csv",
    "/settings",
    "/settings/export",
    "/settings/disconnect",
    "/settings/delete",
    "/email",
)


@pytest.mark.parametrize("path", PRIVATE)
def test_strangers_are_asked_to_sign_in(browser: PageClient, path: str) -> None:
    answer = browser.open(path)

    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")


@pytest.mark.parametrize("path", ["/dashboard/data.json", "/dashboard/progress.json"])
def test_programs_are_told_in_json(browser: PageClient, path: str) -> None:
    answer = browser.open(path)

    assert (answer.status_code, answer.json) == (401, {"error": "Please sign in."})


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("/settings?ask=never", "/settings?ask=never"),
        ("//evil.example", None),
        ("/\\evil.example", None),
        ("https://evil.example", None),
        ("javascript:alert(1)", None),
        ("/dash\nboard", None),
        ("settings", None),
        ("", None),
        (None, None),
    ],
)
def test_only_our_own_pages_are_returned_to(path: str | None, safe: str | None) -> None:
    assert safe_path(path) == safe


HOSTILE_PATHS = (
    "//[",
    "//]",
    "//[::1",
    "//[v1.x]/",
    "//evil.example",
    "///evil.example",
    "/\\",
    "/\\[",
    "/a\\..\\b",
    "\\\\evil.example",
    "//\u2100.example",
    "//a\uff0fb",
    "http://[",
    "http:///evil.example",
    "[",
    "/\x00",
    "/\u2028/evil.example",
    "/" + "a" * 1_000,
    " /settings",
    "/settings\x7f",
)


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_a_page_to_go_to_that_is_none_of_ours_is_forgotten(
    browser: PageClient, harness: Harness, runtime: Runtime, path: str
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())

    page = browser.client.get("/login", query_string={"next": path})
    cookies = page.headers.getlist("Set-Cookie")
    browser.client.set_cookie("moodmiles-next", path, domain="127.0.0.1")
    browser.post("/login", email=f"runner{runner_id}@example.org")
    link = f"/login/{read_pending_token(runtime, 'sign_in_link')}"
    signed_in = browser.post(link)

    assert safe_path(path) is None
    assert page.status_code == 200
    assert not [cookie for cookie in cookies if "-next=" in cookie]
    assert (signed_in.status_code, signed_in.location) == (303, "/dashboard")


@pytest.mark.parametrize("path", ["//[", "/\\["])
def test_strava_leads_back_whatever_the_browser_remembers(
    browser: PageClient, harness: Harness, path: str
) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    going = browser.post("/connect/again")
    state = parse_qs(urlsplit(going.location).query)["state"][0]
    with harness.world.transaction():
        code = grants.issue_code(harness.world, athlete.id, SCOPE)
    browser.client.set_cookie("moodmiles-next", path, domain="127.0.0.1")

    back = browser.client.get(
        "/connect/callback",
        query_string={"state": state, "code": code, "scope": SCOPE},
    )

    assert (back.status_code, back.location) == (302, "/dashboard")


def test_a_mailed_link_signs_in_and_leads_back(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    harness.link_runner(harness.add_athlete())
    browser.open("/login?next=/settings")
    browser.post("/login", email="runner1@example.org")
    link = f"/login/{read_pending_token(runtime, 'sign_in_link')}"

    looked = browser.open(link)
    signed_in = browser.post(link)

    assert "Sign in" in looked.text
    assert signed_in.location == "/settings"
    assert browser.open("/settings").status_code == 200


def test_nobody_leads_a_sign_in_away_by_a_planted_cookie(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    harness.link_runner(harness.add_athlete())
    browser.post("/login", email="runner1@example.org")
    browser.client.set_cookie("moodmiles-next", "//evil.example", domain="127.0.0.1")

    signed_in = browser.post(f"/login/{read_pending_token(runtime, 'sign_in_link')}")

    assert signed_in.location == "/dashboard"


def test_a_mailed_link_works_once(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    harness.link_runner(harness.add_athlete())
    browser.post("/login", email="runner1@example.org")
    link = f"/login/{read_pending_token(runtime, 'sign_in_link')}"

    first, second = browser.post(link), browser.post(link)

    assert (first.status_code, second.status_code) == (303, 410)


def test_a_mailed_link_is_bound_to_the_browser_that_asked(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    harness.link_runner(harness.add_athlete())
    browser.post("/login", email="runner1@example.org")
    thief = PageClient(create_app(runtime).test_client(), runtime)

    answer = thief.post(f"/login/{read_pending_token(runtime, 'sign_in_link')}")

    assert answer.status_code == 410


def test_an_unknown_address_gets_the_same_answer(
    browser: PageClient, harness: Harness
) -> None:
    harness.link_runner(harness.add_athlete())

    known = browser.post("/login", email="runner1@example.org")
    unknown = browser.post("/login", email="nobody@example.org")

    assert (known.status_code, known.location) == (
        unknown.status_code,
        unknown.location,
    )


def test_what_is_no_address_is_said_so(browser: PageClient) -> None:
    answer = browser.post("/login", email="<script>")

    assert answer.status_code == 400
    assert "does not look like an e-mail address" in answer.text
    assert "<script>" not in answer.text


def test_signing_out_ends_the_session_on_the_server(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    cookie = browser.client.get_cookie("moodmiles", domain="127.0.0.1")
    assert cookie

    browser.post("/logout")

    assert sign_in.find_signed_in(runtime, cookie.value) is None
    assert browser.open("/dashboard").status_code == 302


def test_one_runner_never_sees_anothers_runs(
    browser: PageClient, harness: Harness, runner_id: int
) -> None:
    other = harness.add_athlete(8)
    run = harness.finish_run(other, distance_m=12345, ended_minutes_ago=30)
    browser.sign_in(harness.link_runner(other))
    harness.process_all_due()

    browser.sign_in(runner_id)
    seen = [browser.open(path).text for path in (*PRIVATE, "/dashboard/data.json")]

    assert not [page for page in seen if str(run.id) in page or "12345" in page]
