"""What every answer carries, and what no other site can do in a runner's name."""

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from sync.models import Model
from sync.runtime import Runtime
from sync.settings import Settings
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.route_access import list_addresses
from tests.web.conftest import PageClient
from web.app import create_app

pytestmark = pytest.mark.slow

SIGNED_IN = ("/dashboard", "/settings", "/email", "/settings/export")
OPEN = ("/", "/connect", "/login", "/help", "/privacy", "/nowhere", "/healthz")
FORMS = (
    "/connect",
    "/login",
    "/login/some-token",
    "/logout",
    "/email",
    "/email/confirm/some-token",
    "/dashboard/answer",
    "/settings",
    "/settings/export",
    "/settings/disconnect",
    "/settings/delete",
)


def open_other_app(runtime: Runtime, **changes: object) -> FlaskClient:
    """Return a browser of a host with other settings."""
    settings = Settings.model_construct(**(runtime.settings.model_dump() | changes))
    other_runtime = Runtime(
        settings=settings,
        db=runtime.db,
        queue=runtime.queue,
        strava=runtime.strava,
        sealer=runtime.sealer,
        now=runtime.now,
    )
    return create_app(other_runtime).test_client()


@pytest.mark.parametrize("path", OPEN)
def test_every_page_is_locked_down(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize("path", SIGNED_IN)
def test_no_page_holds_inline_code_or_style(browser: PageClient, path: str) -> None:
    page = browser.open(path).text

    assert " style=" not in page
    assert " onclick=" not in page
    assert "<script>" not in page
    assert "http://" not in page.replace("http://127.0.0.1", "")


@pytest.mark.usefixtures("runner_id")
def test_every_address_answers_with_every_header(browser: PageClient) -> None:
    ids = {"number": "1", "token": "some-token", "file": "app.css"}

    for one in list_addresses(browser.client.application, ids):
        with browser.client.open(one.path, method=one.method) as answer:
            had = answer.headers

        assert "unsafe" not in had["Content-Security-Policy"], one
        assert "base-uri 'none'" in had["Content-Security-Policy"], one
        assert had["X-Content-Type-Options"] == "nosniff", one
        assert had["Referrer-Policy"] == "no-referrer", one
        assert had["Cross-Origin-Resource-Policy"] == "same-origin", one
        assert "camera=()" in had["Permissions-Policy"], one
        if "static" not in one.endpoint:
            assert had["Cache-Control"] == "no-store", one


def test_forms_may_lead_to_strava_and_nowhere_else(
    client: FlaskClient, settings: Settings
) -> None:
    policy = client.get("/connect").headers["Content-Security-Policy"]

    assert f"form-action 'self' {settings.strava_site_url};" in policy


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize("path", FORMS)
def test_no_form_works_without_its_token(browser: PageClient, path: str) -> None:
    without = browser.client.post(path, data={})
    guessed = browser.client.post(path, data={"csrf": "0" * 64})

    assert (without.status_code, guessed.status_code) == (403, 403)


def test_a_token_of_another_browser_is_refused(runtime: Runtime) -> None:
    theirs = PageClient(create_app(runtime).test_client(), runtime)
    mine = PageClient(create_app(runtime).test_client(), runtime)
    stolen = theirs.get_csrf_token()
    mine.open("/login")

    answer = mine.client.post("/login", data={"csrf": stolen, "email": "a@b.example"})

    assert answer.status_code == 403


def test_a_form_outlives_a_new_key(browser: PageClient, runtime: Runtime) -> None:
    token = browser.get_csrf_token()
    cookie = browser.client.get_cookie("moodmiles-browser", domain="127.0.0.1")
    assert cookie
    old, new = (
        runtime.settings.secret_keys[0],
        SecretStr("another key, newest first ......"),
    )
    client = open_other_app(runtime, secret_keys=[new, old])
    client.set_cookie("moodmiles-browser", cookie.value, domain="127.0.0.1")

    answer = client.post("/login", data={"csrf": token, "email": "a@b.example"})

    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/", "/s/token", "/hooks/strava/hook"])
def test_only_our_own_name_is_answered(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Host": "evil.example"})

    assert answer.status_code == 421
    assert "http://127.0.0.1:8000" in answer.text
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("public_url", "host", "is_ours"),
    [
        ("https://run.example", "run.example", True),
        ("https://run.example", "Run.Example:443", True),
        ("https://run.example:8443", "run.example:8443", True),
        ("http://127.0.0.1", "127.0.0.1:80", True),
        ("https://[2001:db8::1]", "[2001:db8::1]:443", True),
        ("https://run.example:8443", "run.example", False),
        ("https://run.example:8443", "run.example:443", False),
        ("https://[2001:db8::1]", "[2001:db8::1]:8443", False),
    ],
)
def test_the_usual_port_may_be_named(
    runtime: Runtime, public_url: str, host: str, is_ours: bool
) -> None:
    """A proxy speaks http to us and may pass the name on as the browser wrote it."""
    client = open_other_app(runtime, public_url=public_url)
    inner = {"wsgi.url_scheme": "http", "HTTP_HOST": host}
    page = client.get("/login", environ_overrides=inner)
    event = client.post("/hooks/strava/hook", json={}, environ_overrides=inner)

    assert page.status_code == (200 if is_ours else 421)
    assert event.status_code == (400 if is_ours else 421)


def test_another_name_of_this_machine_leads_home(client: FlaskClient) -> None:
    answer = client.get("/login?next=/settings", headers={"Host": "localhost:8000"})

    assert answer.location == "http://127.0.0.1:8000/login?next=/settings"


@pytest.mark.parametrize(
    "path", ["/a%0D%0AX", "/evil.example/%0A", "/a%3Fb", "/a%23b?c=%26d", "/%00"]
)
def test_the_way_home_keeps_every_path_as_it_was_written(
    client: FlaskClient, path: str
) -> None:
    answer = client.get(
        path, base_url="http://127.0.0.1:8000", headers={"Host": "localhost:8000"}
    )

    assert answer.status_code == 302
    assert answer.location == f"http://127.0.0.1:8000{path}"


def test_probes_may_use_any_name(client: FlaskClient) -> None:
    answer = client.get("/healthz", headers={"Host": "10.0.0.7:8000"})

    assert answer.status_code == 200


def test_https_pins_cookies_and_transport(runtime: Runtime) -> None:
    client = open_other_app(runtime, public_url="https://moodmiles.example")

    answer = client.get("/login")

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-moodmiles-browser=")
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_two_instances_on_one_machine_keep_their_own_cookies(runtime: Runtime) -> None:
    client = open_other_app(runtime, public_url="http://127.0.0.1:8100")

    cookie = client.get("/login").headers["Set-Cookie"]

    assert cookie.startswith("moodmiles-browser-8100=")


def test_versioned_files_stay_in_the_cache(client: FlaskClient) -> None:
    with client.get("/static/app.css?v=1") as with_version:
        assert "immutable" in with_version.headers["Cache-Control"]
    with client.get("/static/app.css") as without:
        assert "immutable" not in without.headers["Cache-Control"]


def test_a_large_form_is_refused_with_a_page(browser: PageClient) -> None:
    answer = browser.client.post("/login", data={"email": "x" * 70_000})

    assert answer.status_code == 413
    assert "too much at once" in answer.text


def test_a_failure_shows_a_code_and_logs_no_content(
    browser: PageClient, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    Model.metadata.drop_all(runtime.db.engine)
    browser.client.set_cookie("moodmiles", "canary-token", domain="127.0.0.1")

    page = browser.open("/dashboard")
    as_json = browser.open("/dashboard/data.json")

    logged = capsys.readouterr().out
    assert (page.status_code, as_json.status_code) == (500, 500)
    assert "Something went wrong on our side." in page.text
    assert as_json.json
    assert as_json.json["code"] in logged
    assert "sync/runners/sign_in.py" in logged
    assert "canary" not in logged + page.text
    assert "Traceback" not in page.text


def test_signing_in_and_what_is_refused_leave_a_line(
    browser: PageClient, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    browser.post("/login", email=f"runner{runner_id}@example.org")
    link = f"/login/{read_pending_token(harness.runtime, 'sign_in_link')}"
    capsys.readouterr()

    for path in (link, link, "/logout", "/runs/999"):
        browser.post(path)
    browser.client.post("/settings", data={"csrf": "forged"})

    lines = [line.split("]", 1)[1] for line in capsys.readouterr().out.splitlines()]
    said = [" ".join(line.split()) for line in lines]
    assert f"signed in method=mail runner_id={runner_id}" in said
    assert f"signed out runner_id={runner_id}" in said
    for endpoint, status in (("login.redeem", 410), ("settings.save", 403)):
        line = f"request refused endpoint={endpoint} error=None status={status}"
        assert line in said


@pytest.mark.parametrize("path", ["/", "/dashboard", "/healthz", "/s/token"])
def test_nothing_is_traced(client: FlaskClient, path: str) -> None:
    assert client.open(path, method="TRACE").status_code == 405


def test_whoever_comes_after_a_sign_out_finds_nothing(
    browser: PageClient, runner_id: int
) -> None:
    assert browser.post("/logout").headers["Clear-Site-Data"] == '"cache"'
