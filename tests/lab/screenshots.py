"""Take the pictures of README and tour: `python -m tests.lab.screenshots`.

They come from a running demo.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from tests.support.browser import DESKTOP, PHONE, launch_chromium, open_visitor
from tests.support.live_instance import LiveInstance, start_instance, wait_for
from tests.support.paths import ROOT

PICTURES = ROOT / "docs" / "pictures"
# The tour's pages, in its order, and where the demo shows each one.
TOUR = {
    "landing": "/",
    "consent": "/connect",
    "address": "/states/address",
    "importing": "/states/importing",
    "question": "/states/survey",
    "saved": "/states/survey-saved",
    "early": "/states/answers-3",
    "run": "/states/run",
    "wrong": "/states/strava-disconnected",
    "settings": "/settings",  # of the runner whom the state before signed in
}


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        start_instance(Path(folder) / "data", command="demo") as home,
        launch_chromium() as browser,
    ):
        capture_dashboard(browser, home)
        capture_mail(browser, home)
        capture_tour(browser, home)


def capture_dashboard(browser: Browser, home: LiveInstance) -> None:
    with open_visitor(browser, size=DESKTOP) as page:
        sign_in_demo_runner(page, home)
        page.get_by_role("heading", level=1).wait_for()
        page.screenshot(path=PICTURES / "dashboard.png")
        page.get_by_role("link", name="The article’s claims, checked on you").click()
        page.get_by_role("heading", level=1).wait_for()
        page.screenshot(path=PICTURES / "claims.png")


def capture_mail(browser: Browser, home: LiveInstance) -> None:
    home.finish_run(home.find_athlete("Robin")["id"], distance_m=8200, moving_s=2800)
    with open_visitor(browser, size=PHONE) as page:

        def arrived() -> bool:
            page.goto(f"{home.url}/mailbox")
            return page.get_by_role("link", name="how do you feel").count() > 0

        wait_for(arrived)
        page.get_by_role("link", name="how do you feel").first.click()
        source = page.locator("iframe").get_attribute("src")
        page.goto(f"{home.url}{source}")
        page.set_viewport_size({"width": 390, "height": 450})
        page.screenshot(path=PICTURES / "mail.png")


def capture_tour(browser: Browser, home: LiveInstance) -> None:
    with open_visitor(browser, size=PHONE) as page:
        for name, path in TOUR.items():
            page.goto(f"{home.url}{path}", wait_until="networkidle")
            page.screenshot(path=PICTURES / f"tour-{name}.png")


def sign_in_demo_runner(page: Page, home: LiveInstance) -> None:
    page.goto(f"{home.url}/connect")
    for box in page.get_by_role("checkbox").all():
        if box.get_attribute("name") != "private":
            box.check()
    page.get_by_role("button", name="Continue to Strava").click()
    page.get_by_label("Robin").check()
    page.get_by_role("button", name="Authorize").click()
    page.goto(f"{home.url}/dashboard")


if __name__ == "__main__":
    main()
