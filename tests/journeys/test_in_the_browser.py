"""The whole loop in a real browser, with every part real but Strava."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import keep_picture, visitor
from tests.support.live_instance import House, house, until
from tests.support.paths import DATA

pytestmark = pytest.mark.processes

ADDRESS = "runner@example.org"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    export = DATA / "activities-small.csv"
    with house(tmp_path / "data", "--export", str(export), command="demo") as home:
        yield home


@pytest.mark.parametrize("javascript", [True, False])
def test_from_the_landing_page_to_a_dot(
    chrome: Browser, home: House, *, javascript: bool
) -> None:
    with visitor(chrome, javascript=javascript) as page:
        link_strava(page, home)
        confirm_address(page, home)
        see_the_import(page, home)

        home.finish_run(home.athlete("Sam")["id"], distance_m=8200, moving_s=2800)
        answer_the_mail(page, home)

        page.goto(f"{home.url}/dashboard")
        expect(page.locator("body")).to_contain_text("8.2")
        keep_picture(page, f"dashboard-after-answer-{javascript}")
        answers = page.request.get(f"{home.url}/dashboard/answers.csv").text()
        assert "Good" in answers
        look_around(page, home)
        sign_out(page, home)


def link_strava(page: Page, home: House) -> None:
    page.goto(home.url)
    keep_picture(page, "landing")
    page.get_by_role("link", name="Connect with Strava").first.click()
    keep_picture(page, "consent")
    for box in page.get_by_role("checkbox").all():
        if box.get_attribute("name") != "private":
            box.check()
    page.get_by_role("button", name="Continue to Strava").click()
    page.get_by_label("Sam").check()
    keep_picture(page, "simulated-strava")
    page.get_by_role("button", name="Authorize").click()


def confirm_address(page: Page, home: House) -> None:
    page.get_by_label("E-mail").fill(ADDRESS)
    keep_picture(page, "address")
    page.get_by_role("button", name="Send").click()
    open_mail(page, home, "Confirm")
    follow_in_mail(page, "Yes, this is my address")
    page.get_by_role("button", name="Confirm").click()
    keep_picture(page, "confirmed")


def see_the_import(page: Page, home: House) -> None:
    def imported() -> bool:
        page.goto(f"{home.url}/dashboard")
        return "add your first mood" in page.locator("body").inner_text().lower()

    until(imported)
    keep_picture(page, "dashboard-no-answers")
    runs = page.request.get(f"{home.url}/dashboard/runs.csv").text()
    assert len(runs.strip().splitlines()) == 1 + 3


def answer_the_mail(page: Page, home: House) -> None:
    open_mail(page, home, "how do you feel")
    follow_in_mail(page, "Good")
    expect(page.get_by_label("Good")).to_be_checked()
    keep_picture(page, "survey")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("body")).to_contain_text("Good")
    keep_picture(page, "survey-saved")


def look_around(page: Page, home: House) -> None:
    """Switch the chart, open the run, take everything out."""
    page.goto(f"{home.url}/dashboard")
    page.get_by_label("This run’s length").check()
    by_run = page.get_by_role("heading", name="by the length of that run")
    expect(by_run).to_be_visible()
    page.get_by_role("link", name="8.2").first.click()
    expect(page.locator("main")).to_contain_text("Moving time")
    keep_picture(page, "run")
    page.goto(f"{home.url}/settings/export")
    page.get_by_role("button", name="Pack my data").click()
    ready = page.get_by_role("link", name="Download the ZIP")

    def packed() -> bool:
        page.goto(f"{home.url}/settings/export")
        return ready.count() > 0

    until(packed)
    with page.expect_download() as download:
        ready.click()
    assert download.value.suggested_filename == "moodmiles.zip"


def sign_out(page: Page, home: House) -> None:
    page.goto(f"{home.url}/settings")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Connect with Strava")).to_be_visible()
    page.goto(f"{home.url}/dashboard")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def open_mail(page: Page, home: House, subject: str) -> None:
    """Wait for a mail with these words in its subject and open it."""

    def listed() -> bool:
        page.goto(f"{home.url}/mailbox")
        return page.get_by_role("link", name=subject).count() > 0

    until(listed)
    page.get_by_role("link", name=subject).first.click()
    keep_picture(page, f"mail-{subject.split(maxsplit=1)[0].lower()}")


def follow_in_mail(page: Page, words: str) -> None:
    """Tap a link in the mail, which leaves the mailbox for its page."""
    link = page.frame_locator("iframe").get_by_role("link", name=words)
    with page.expect_navigation():
        link.click()
