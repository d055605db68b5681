"""Taking everything out by the page: asked for, watched, fetched, over."""

import io
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser as Chrome

from sync.crypto import Sealer
from sync.models import Runner
from sync.portability import exports
from sync.portability.pack import STEPS
from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import Fixture
from tests.support.harness import Harness
from tests.support.page_visit import open_phone
from tests.web.conftest import PageClient

PAGE = "/settings/export"
FILE = f"{PAGE}/moodmiles.zip"


@pytest.mark.usefixtures("runner_id")
def test_the_file_is_packed_by_a_worker_and_fetched_from_the_page(
    browser: PageClient, runtime: Runtime
) -> None:
    preview = browser.open(PAGE).text
    asked = browser.post(PAGE)
    packing = browser.open(asked.location).text
    exports.process_due(runtime)
    ready = browser.open(PAGE).text

    file = browser.open(FILE)

    assert "<b>1 run</b>" in preview
    assert FILE not in preview + packing
    assert asked.status_code == 303
    assert "Packing your data" in packing
    assert '<meta http-equiv="refresh"' in packing  # for those without scripts
    assert FILE in ready
    assert '<meta http-equiv="refresh"' not in ready
    assert file.mimetype == "application/zip"
    assert file.headers["Cache-Control"] == "no-store"
    with ZipFile(io.BytesIO(file.data)) as archive:
        assert b"8200.0" in archive.read("runs.csv")


@pytest.mark.usefixtures("runner_id")
def test_the_page_shows_how_far_it_is(browser: PageClient, runtime: Runtime) -> None:
    before = browser.open(f"{PAGE}/progress.json").json
    browser.post(PAGE)
    waiting = browser.open(f"{PAGE}/progress.json").json
    exports.process_due(runtime)

    after = browser.open(f"{PAGE}/progress.json").json

    assert before
    assert before["is_done"]
    assert waiting == {
        "is_done": False,
        "done": 0,
        "steps": STEPS,
        "text": "Waiting for its turn.",
    }
    assert after
    assert (after["is_done"], after["done"]) == (True, STEPS)


def test_a_file_that_is_over_leads_back_to_the_page(
    browser: PageClient, runner_id: int, runtime: Runtime, harness: Harness
) -> None:
    exports.request_export(runtime, runner_id)
    exports.process_due(runtime)
    harness.advance_clock(days=8)
    browser.sign_in(runner_id)

    over = browser.open(FILE)

    assert (over.status_code, over.location) == (303, PAGE)
    assert "is over and deleted here" in browser.open(PAGE).text


def test_a_file_that_cannot_be_packed_is_said_plainly(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    with runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        other_browser = Sealer(["a key that nobody has any more, long"])
        runner.vault_key = other_browser.new_vault_key()
    browser.post(PAGE)

    exports.process_due(runtime)

    page = browser.open(PAGE).text
    assert "Packing your data did not work." in page
    assert "Pack my data" in page


def test_nobody_fetches_anothers_file(
    browser: PageClient, runner_id: int, runtime: Runtime, harness: Harness
) -> None:
    exports.request_export(runtime, runner_id)
    exports.process_due(runtime)
    browser.sign_in(harness.link_runner(harness.add_athlete(8)))

    others = browser.open(FILE)
    browser.client.delete_cookie("moodmiles", domain="127.0.0.1")

    assert others.status_code == 303
    assert browser.open(FILE).location.startswith("/login")
    assert browser.open(f"{PAGE}/progress.json").status_code != 200


def test_the_page_watches_by_itself_until_the_file_is_there(
    chrome: Chrome, site: str, runner_id: int, runtime: Runtime
) -> None:
    with open_phone(chrome, site, Fixture(PAGE, runner_id), runtime) as page:
        page.goto(f"{site}{PAGE}")
        page.get_by_role("button", name="Pack my data").click()
        page.get_by_text("Waiting for its turn.").wait_for()
        exports.process_due(runtime)
        with page.expect_download() as file:
            page.get_by_role("link", name="Download the ZIP").click()

    assert file.value.suggested_filename == "moodmiles.zip"
