"""Every state in a real browser: both schemes, both sizes, without a complaint."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request
from werkzeug.serving import make_server

from sync.prepared.scenes import Scene
from sync.runners import signin
from sync.runtime import Runtime
from sync.settings import Settings
from tests.journeys.browser import DESKTOP, PHONE, chromium, keep_picture
from tests.servers import HOST, free_port
from tests.stage import Stage
from tests.web.states import STATES
from web.app import create_app

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {"phone": PHONE, "desktop": DESKTOP}
# Inline links in a sentence, and boxes inside a large label, may be smaller.
TOO_SMALL = """() => [...document.querySelectorAll(
    'a, button, select, summary, input:not([type=hidden]), label:has(input)')]
  .filter((one) => one.checkVisibility({visibilityProperty: true}))
  .filter((one) => !(one.matches('input') && one.closest('label')))
  .filter((one) => !(one.matches('a') && getComputedStyle(one).display === 'inline'))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.height > 0 && box.height < 43.9 && box.bottom > 0)
  .map(([one, box]) => `${one.outerHTML.slice(0, 90)} ${box.height}`)"""


OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
SHIFT = """() => new Promise((done) => {
  let total = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) total += one.value;
  }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(total), 200);
})"""


@dataclass
class Weight:
    """What a page asked for, and how many bytes came over the line."""

    asked: list[str] = field(default_factory=list)
    total: int = 0
    scripts: int = 0

    def add(self, request: Request) -> None:
        size = request.sizes()["responseBodySize"]
        self.asked.append(request.url)
        self.total += size
        if request.resource_type == "script":
            self.scripts += size


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def settings(settings: Settings) -> Settings:
    address = f"http://{HOST}:{free_port()}"
    return settings.model_copy(
        update={"public_url": address, "mailbox_dir": settings.data_dir / "mailbox"}
    )


@pytest.fixture
def site(runtime: Runtime) -> Iterator[str]:
    """Serve the pages over the test's own tables, at their public address."""
    url = runtime.settings.public_url
    port = int(url.rpartition(":")[2])
    server = make_server(HOST, port, create_app(runtime), threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def visit(
    chrome: Browser, site: str, scene: Scene, runtime: Runtime
) -> Generator[tuple[Page, Weight]]:
    """Open the scene's page on a phone; whatever the browser complains of fails."""
    context = chrome.new_context(viewport={"width": 390, "height": 844})
    if scene.runner_id is not None:
        name = f"moodmiles-{site.rpartition(':')[2]}"
        token = signin.sign_in(runtime, scene.runner_id)
        context.add_cookies([{"name": name, "value": token, "url": site}])
    page, weight, complaints = context.new_page(), Weight(), list[str]()
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfinished", weight.add)
    answer = page.goto(f"{site}{scene.path}", wait_until="networkidle")
    assert answer
    assert (answer.status >= 500) == scene.path.startswith("/states/"), answer.status
    yield page, weight
    context.close()
    # The browser reports the page's own status, such as 404, as an error.
    own = f"status of {answer.status}"
    assert [one for one in complaints if own not in one] == []
    assert [url for url in weight.asked if not url.startswith((site, "data:"))] == []


def barriers(page: Page, state: str) -> list[str]:
    """List what axe finds and what is too small, in both sizes and schemes."""
    found = []
    for size, box in SIZES.items():
        page.set_viewport_size({"width": box["width"], "height": box["height"]})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            report = Axe().run(page, options={"runOnly": RULES})
            for one in report.response["violations"]:
                places = [node["html"][:120] for node in one["nodes"][:3]]
                found.append(f"{size} {scheme} {one['id']} {places}")
            if os.environ.get("KEEP_PICTURES"):
                keep_picture(page, f"{state}-{size}-{scheme}")
        found += [f"{size} too small: {one}" for one in page.evaluate(TOO_SMALL)]
    return found


@pytest.mark.parametrize("state", STATES)
def test_a_page_is_usable_by_everyone(
    state: str, chrome: Browser, site: str, stage: Stage, runtime: Runtime
) -> None:
    scene = STATES[state](stage)

    with visit(chrome, site, scene, runtime) as (page, _):
        page.evaluate(OPEN_ALL)
        found = barriers(page, state)
        page.set_viewport_size({"width": 320, "height": 640})
        width = page.evaluate("document.documentElement.scrollWidth")

    assert found == []
    assert width <= 320


def test_the_survey_is_light_and_needs_no_script(
    chrome: Browser, site: str, stage: Stage, runtime: Runtime
) -> None:
    scene = STATES["survey"](stage)

    with visit(chrome, site, scene, runtime) as (page, weight):
        scripts = page.locator("script").count()

    assert scripts == 0
    assert weight.total <= 40_000


def test_a_dashboard_of_500_answers_is_light(
    chrome: Browser, site: str, stage: Stage, runtime: Runtime
) -> None:
    scene = STATES["answers-500"](stage)

    with visit(chrome, site, scene, runtime) as (page, weight):
        nodes = page.evaluate("document.querySelectorAll('*').length")
        shift = page.evaluate(SHIFT)

    assert weight.total <= 100_000
    assert weight.scripts <= 10_000
    assert nodes <= 3_000
    assert shift <= 0.02
