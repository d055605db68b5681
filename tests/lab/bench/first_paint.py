"""How soon a phone on a slow line shows a page, and what then still moves.

Run it with `python -m tests.lab.bench.first_paint`: 390 x 844, CPU four times slower,
1.6 Mbit/s, 150 ms, nothing in the cache; each number is a median.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread

from playwright.sync_api import Browser, Page
from typing_extensions import override
from werkzeug.serving import WSGIRequestHandler, make_server

from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import Fixture, build_fixture
from tests.lab.bench.standalone_harness import open_harness
from tests.support.browser import launch_chromium
from tests.support.page_visit import open_phone
from tests.support.servers import HOST, free_port
from web.app import create_app

ROUNDS = 5
SLOWER = 4
LINE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
# Seconds that we aim at; a page that is none of these two has no aim.
AIMS = {"survey": 1.2, "answers-500": 1.5}
SCENES = ("survey", "landing", "no-answers", "answers-20", "answers-500", "runs-10000")
MEASURE = """() => new Promise((done) => {
  let paint = 0, shift = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) paint = one.startTime;
  }).observe({type: 'largest-contentful-paint', buffered: true});
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) shift += one.value;
  }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done([paint, shift]), 500);
})"""


class SilentRequestHandler(WSGIRequestHandler):
    @override
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: a bench prints its own lines."""


def main() -> None:
    print(f"median of {ROUNDS}; CPU x{SLOWER}, 1.6 Mbit/s, 150 ms, cold cache\n")
    print("| page | largest paint | aim | layout shift |")
    print("|---|---|---|---|")
    with (
        TemporaryDirectory() as folder,
        open_harness(Path(folder)) as harness,
        serve_app(harness.runtime) as site,
        launch_chromium() as chrome,
    ):
        for name in SCENES:
            report(name, chrome, site, harness.runtime)


@contextmanager
def serve_app(runtime: Runtime) -> Iterator[str]:
    port = free_port()
    url = f"http://{HOST}:{port}"
    settings = runtime.settings.model_copy(update={"public_url": url})
    app = create_app(replace(runtime, settings=settings))
    server = make_server(
        HOST, port, app, threaded=True, request_handler=SilentRequestHandler
    )
    Thread(target=server.serve_forever, daemon=True).start()
    yield url
    server.shutdown()


def report(name: str, chrome: Browser, site: str, runtime: Runtime) -> None:
    fixture = Fixture("/") if name == "landing" else build_fixture(runtime, name)
    paints, shifts = [], []
    for _ in range(ROUNDS):
        with open_phone(chrome, site, fixture, runtime) as page:
            slow_down(page)
            page.goto(f"{site}{fixture.path}", wait_until="load")
            paint_ms, shift = page.evaluate(MEASURE)
        paints.append(paint_ms / 1000)
        shifts.append(shift)
    aim = f"{AIMS[name]} s" if name in AIMS else "–"
    print(
        f"| {name} | {median(paints):.2f} s | {aim} | {max(shifts):.3f} |", flush=True
    )


def slow_down(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", LINE)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


if __name__ == "__main__":
    main()
