"""A browser without a screen: Flask's client, over the shared stage."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Thread

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from sync.runners import sign_in as signin
from sync.runtime import Runtime
from sync.settings import Settings
from sync.vocabulary import SignInMethod
from tests.support.export_fixtures import limit_retention
from tests.support.harness import Harness
from tests.support.page_fixtures import STRICT
from tests.support.servers import HOST, free_port
from web.app import create_app


@dataclass(frozen=True)
class PageClient:
    """One person's browser: opens pages and sends the forms that it finds."""

    client: FlaskClient
    runtime: Runtime

    def open(self, path: str) -> TestResponse:
        return self.client.get(path)

    def post(self, path: str, **fields: str | int) -> TestResponse:
        """Send a form as a page of ours would, with its hidden field."""
        return self.client.post(path, data={**fields, "csrf": self.get_csrf_token()})

    def get_csrf_token(self) -> str:
        page = self.client.get("/connect").text
        match = re.search(r'name="csrf" value="(\w+)"', page)
        assert match
        return match[1]

    def sign_in(self, runner_id: int) -> None:
        token = signin.sign_in(self.runtime, runner_id, method=SignInMethod.STRAVA)
        self.client.set_cookie("moodmiles", token, domain="127.0.0.1")


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Let a test of one state have the host that the state needs."""
    call = getattr(request.node, "callspec", None)
    state = call.params.get("state") if call else None
    if state is None:
        return settings
    shown = settings.model_copy(update={"mailbox_dir": settings.data_dir / "mailbox"})
    return limit_retention(shown) if state in STRICT else shown


@pytest.fixture
def client(runtime: Runtime) -> FlaskClient:
    return create_app(runtime).test_client()


@pytest.fixture
def browser(client: FlaskClient, runtime: Runtime) -> PageClient:
    return PageClient(client, runtime)


@pytest.fixture
def other_browser(runtime: Runtime) -> PageClient:
    """Give somebody else a browser of their own."""
    return PageClient(create_app(runtime).test_client(), runtime)


@pytest.fixture
def runner_id(harness: Harness, browser: PageClient) -> int:
    """Sign in a runner with one imported run."""
    athlete = harness.add_athlete()
    harness.finish_run(
        athlete, distance_m=8200, moving_s=2700, ended_minutes_ago=60 * 48
    )
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    browser.sign_in(runner_id)
    return runner_id


@pytest.fixture
def site(runtime: Runtime) -> Iterator[str]:
    """Serve the pages over the test's own tables, as a demo does."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    folder = runtime.settings.data_dir / "mailbox"
    settings = runtime.settings.model_copy(
        update={"public_url": url, "mailbox_dir": folder}
    )
    app = create_app(replace(runtime, settings=settings))
    server = make_server(HOST, port, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()
