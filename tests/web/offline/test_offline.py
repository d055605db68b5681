"""Without a network: one page is kept at hand, and nothing about a person."""

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page

from sync.runners import sign_in
from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import build_fixture
from tests.support.page_visit import open_phone

# On a page without its script this would never be ready: say so instead.
READY = """() => Promise.race([
  navigator.serviceWorker.ready.then((it) => it.active.state),
  new Promise((done) => setTimeout(() => done('never ready'), 10000)),
])"""
KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const request of await (await caches.open(name)).keys())
      found.push(new URL(request.url).pathname);
  return found.sort();
}"""


def test_a_phone_without_a_network_says_so_and_keeps_nothing_personal(
    chrome: Browser, site: str, runtime: Runtime
) -> None:
    with open_phone(chrome, site, build_fixture(runtime, "answers-3"), runtime) as page:
        install(page, site)
        kept = page.evaluate(KEPT)
        page.context.set_offline(offline=True)
        page.goto(f"{site}/dashboard")
        said = page.get_by_role("heading", level=1).inner_text()
        # Its own style is there as well: an unstyled page would be serif.
        font = page.evaluate("getComputedStyle(document.body).fontFamily")
        page.context.set_offline(offline=False)
        page.get_by_role("link", name="Try again").click()
        back = page.get_by_role("heading", level=1).inner_text()

    assert said == "You are offline."
    assert font.startswith("Figtree")
    assert back == "Not enough yet: 3 of 15 runs."
    assert kept == [
        "/offline",
        "/static/app.css",
        "/static/figtree.woff2",
        "/static/icon.svg",
    ]


def test_a_phone_offers_to_install_it(
    chrome: Browser, site: str, runtime: Runtime
) -> None:
    with open_phone(chrome, site, build_fixture(runtime, "answers-3"), runtime) as page:
        install(page, site)
        devtools = page.context.new_cdp_session(page)
        found = devtools.send("Page.getInstallabilityErrors")
        manifest = devtools.send("Page.getAppManifest")

    # An incognito window, as every test's is, can install nothing.
    complaints = [one["errorId"] for one in found["installabilityErrors"]]
    assert [one for one in complaints if one != "in-incognito"] == []
    assert manifest["errors"] == []


def install(page: Page, site: str) -> None:
    page.goto(f"{site}/dashboard")
    assert page.evaluate(READY) in {"activating", "activated"}
    page.reload()


@pytest.mark.parametrize("path", ["/offline", "/sw.js", "/manifest.webmanifest"])
def test_what_is_kept_says_nothing_about_who_asked(
    client: FlaskClient, runtime: Runtime, path: str
) -> None:
    as_nobody = client.get(path).text
    runner_id = build_fixture(runtime, "answers-3").runner_id
    assert runner_id is not None
    token = sign_in.sign_in(runtime, runner_id)
    client.set_cookie("moodmiles", token, domain="127.0.0.1")

    assert client.get(path).text == as_nobody


def test_the_script_changes_with_what_it_keeps(client: FlaskClient) -> None:
    script = client.get("/sw.js")

    assert script.mimetype == "text/javascript"
    assert "moodmiles-" in script.text
    assert "/static/app.css?v=" in script.text
    assert script.headers["Cache-Control"] == "no-store"
