"""The whole loop in a real browser, with every part real but Strava."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_visitor, save_screenshot
from tests.support.live_instance import LiveInstance, start_instance, wait_for
from tests.support.paths import DATA

pytestmark = pytest.mark.processes

ADDRESS = "runner@example.org"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[LiveInstance]:
    export = DATA / "activities-small.csv"
    with start_instance(
        tmp_path / "data", "--export", str(export), command="demo"
    ) as home:
        yield home


@pytest.mark.parametrize("javascript", [True, False])
def test_from_the_landing_page_to_a_dot(
    chrome: Browser, home: LiveInstance, *, javascript: bool
) -> None:
    with open_visitor(chrome, javascript=javascript) as page:
        link_strava(page, home)
        confirm_address(page, home)
        see_the_import(page, home)

        home.finish_run(home.find_athlete("Sam")["id"], distance_m=8200, moving_s=2800)
        answer_the_mail(page, home)

        page.goto(f"{home.url}/dashboard")
        expect(page.locator("body")).to_contain_text("8.2")
        save_screenshot(page, f"dashboard-after-answer-{javascript}")
        answers = page.request.get(f"{home.url}/dashboard/answers.csv").text()
        assert "Good" in answers
        look_around(page, home)
        sign_out(page, home)


def link_strava(page: Page, home: LiveInstance) -> None:
    page.goto(home.url)
    save_screenshot(page, "landing")
    page.get_by_role("link", name="Connect with Strava").first.click()
    save_screenshot(page, "consent")
    for box in page.get_by_role("checkbox").all():
        if box.get_attribute("name") != "private":
            box.check()
    page.get_by_role("button", name="Continue to Strava").click()
    page.get_by_label("Sam").check()
    save_screenshot(page, "simulated-strava")
    page.get_by_role("button", name="Authorize").click()


def confirm_address(page: Page, home: LiveInstance) -> None:
    page.get_by_label("E-mail").fill(ADDRESS)
    save_screenshot(page, "address")
    page.get_by_role("button", name="Send").click()
    open_mail(page, home, "Confirm")
    follow_in_mail(page, "Look, and say yes there")
    page.get_by_role("button", name="Confirm").click()
    save_screenshot(page, "confirmed")


def see_the_import(page: Page, home: LiveInstance) -> None:
    def imported() -> bool:
        page.goto(f"{home.url}/dashboard")
        return "add your first mood" in page.locator("body").inner_text().lower()

    wait_for(imported)
    save_screenshot(page, "dashboard-no-answers")
    runs = page.request.get(f"{home.url}/dashboard/runs.csv").text()
    assert len(runs.strip().splitlines()) == 1 + 3


def answer_the_mail(page: Page, home: LiveInstance) -> None:
    open_mail(page, home, "how do you feel")
    follow_in_mail(page, "Good")
    expect(page.get_by_label("Good")).to_be_checked()
    save_screenshot(page, "survey")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("body")).to_contain_text("Good")
    save_screenshot(page, "survey-saved")


def look_around(page: Page, home: LiveInstance) -> None:
    """Switch the chart, open the run, take everything out."""
    page.goto(f"{home.url}/dashboard")
    page.get_by_label("This run’s length").check()
    by_run = page.get_by_role("heading", name="by the length of that run")
    expect(by_run).to_be_visible()
    page.get_by_role("link", name="8.2").first.click()
    expect(page.locator("main")).to_contain_text("Moving time")
    save_screenshot(page, "run")
    page.goto(f"{home.url}/settings/export")
    page.get_by_role("button", name="Pack my data").click()
    ready = page.get_by_role("link", name="Download the ZIP")

    def packed() -> bool:
        page.goto(f"{home.url}/settings/export")
        return ready.count() > 0

    wait_for(packed)
    with page.expect_download() as download:
        ready.click()
    assert download.value.suggested_filename == "moodmiles.zip"


def sign_out(page: Page, home: LiveInstance) -> None:
    page.goto(f"{home.url}/settings")
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("link", name="Connect with Strava")).to_be_visible()
    page.goto(f"{home.url}/dashboard")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def open_mail(page: Page, home: LiveInstance, subject: str) -> None:
    """Wait for a mail with these words in its subject and open it."""

    def listed() -> bool:
        page.goto(f"{home.url}/mailbox")
        return page.get_by_role("link", name=subject).count() > 0

    wait_for(listed)
    page.get_by_role("link", name=subject).first.click()
    save_screenshot(page, f"mail-{subject.split(maxsplit=1)[0].lower()}")


def follow_in_mail(page: Page, link_text: str) -> None:
    """Tap a link in the mail, which leaves the mailbox for its page."""
    link = page.frame_locator("iframe").get_by_role("link", name=link_text)
    with page.expect_navigation():
        link.click()
