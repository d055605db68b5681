"""The whole loop without a mouse: every part can be reached, seen and used."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.keyboard import Keyboard
from tests.journeys.test_in_the_browser import ADDRESS, home
from tests.support.browser import DESKTOP, open_visitor
from tests.support.live_instance import LiveInstance, wait_for

pytestmark = pytest.mark.processes

__all__ = ["home"]


def test_from_the_landing_page_to_signing_out_by_keyboard(
    chrome: Browser, home: LiveInstance, tmp_path: Path
) -> None:
    with open_visitor(chrome, size=DESKTOP) as page:
        keys = Keyboard(page)
        link_strava(page, keys, home)
        confirm_address(page, keys)
        wait_for(lambda: is_imported(page, keys))

        home.finish_run(home.find_athlete("Sam")["id"], distance_m=8200, moving_s=2800)
        answer_the_mail(page, keys)
        look_at_the_chart(page, keys)
        open_the_run(page, keys)
        take_everything(page, keys)

        keys.link("Settings")
        keys.button("Sign out")
        expect(page.get_by_role("link", name="Connect with Strava")).to_be_visible()


def link_strava(page: Page, keys: Keyboard, home: LiveInstance) -> None:
    page.goto(home.url)
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    keys.link("Connect with Strava")
    for box in page.get_by_role("checkbox").all():
        if box.get_attribute("name") != "private":
            keys.tick(box)
    keys.button("Continue to Strava")
    keys.choose(page.get_by_role("radio"), page.get_by_label("Sam"), "ArrowDown")
    keys.button("Authorize")


def confirm_address(page: Page, keys: Keyboard) -> None:
    keys.focus(page.get_by_label("E-mail"))
    keys.type(ADDRESS)
    keys.button("Send")
    open_mail(page, keys, "Confirm")
    follow_in_mail(page, keys, "Look, and say yes there")
    keys.button("Confirm")


def open_mail(page: Page, keys: Keyboard, subject: str) -> None:
    def listed() -> bool:
        keys.link("Mailbox")
        return page.get_by_role("link", name=subject).count() > 0

    wait_for(listed)
    keys.link(subject)


def follow_in_mail(page: Page, keys: Keyboard, link_text: str) -> None:
    mail = page.frame_locator("iframe")
    keys.follow(mail.get_by_role("link", name=link_text).first, frame=mail)


def is_imported(page: Page, keys: Keyboard) -> bool:
    keys.link("Moodmiles")
    return "add your first mood" in page.locator("main").inner_text().lower()


def answer_the_mail(page: Page, keys: Keyboard) -> None:
    open_mail(page, keys, "how do you feel")
    follow_in_mail(page, keys, "Good")
    moods = page.get_by_role("radio")
    expect(page.get_by_label("Good")).to_be_checked()
    keys.choose(moods, page.get_by_label("Great"), "ArrowRight")
    keys.button("Save")
    expect(page.locator("main")).to_contain_text("Great")


def look_at_the_chart(page: Page, keys: Keyboard) -> None:
    keys.link("Moodmiles")
    by_run = page.get_by_label("This run’s length")
    keys.choose(page.locator("input[name=x]"), by_run, "ArrowRight")
    chart = page.get_by_role("group", name="by the length of that run")
    keys.focus(chart)
    keys.press("ArrowRight")
    expect(page.get_by_role("status").last).to_contain_text("Great. 8.2")
    keys.press("Enter")
    expect(chart.get_by_role("link", name="View on Strava")).to_be_focused()
    keys.press("Escape")
    expect(chart.get_by_role("link", name="View on Strava")).to_have_count(0)


def open_the_run(page: Page, keys: Keyboard) -> None:
    keys.link("8.2")
    expect(page.locator("main")).to_contain_text("Moving time")
    keys.link("Dashboard")


def take_everything(page: Page, keys: Keyboard) -> None:
    keys.link("Settings")
    keys.link("Download")
    keys.button("Pack my data")
    ready = page.get_by_role("link", name="Download the ZIP")
    wait_for(lambda: ready.count() > 0)
    keys.focus(ready)
    with page.expect_download() as download:
        keys.press("Enter")
    assert download.value.suggested_filename == "moodmiles.zip"
