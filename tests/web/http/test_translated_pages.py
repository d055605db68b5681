"""Every page in another language: no text escapes, and German fits a narrow phone."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from babel import Locale
from playwright.sync_api import Browser as Chrome
from playwright.sync_api import Page, Route

from tests.support.data_file_texts import is_of_the_core
from tests.support.harness import Stage
from tests.support.message_catalogue import BRACKETS, brackets
from tests.support.page_fixtures import STATES
from tests.support.page_text import outside, words_in
from tests.web.conftest import Browser

STATIC = Path("web/static")
HOME = "http://moodmiles.test"
# The same words as on a smaller dashboard, only more of them.
LARGE = {"answers-500", "runs-10000"}
# Names, units and what stands in the runner's own data.
NAMES = {
    *("Moodmiles", "Strava", "English", "Deutsch", "Esperanto", "Garmin", "Forerunner"),
    *("km", "mi", "min", "kB", "MB", "UTC"),
}
# What would not fit on a line of its own; tables scroll inside their own frame.
TORN = """() => [...document.querySelectorAll(
    'button, .btn, .pill, .tap, h1, h2, label span, .eyebrow')]
  .filter((one) => !one.closest('.scroll') && one.scrollWidth > one.clientWidth + 1)
  .filter((one) => getComputedStyle(one).display !== 'inline')
  .map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def phone(chrome: Chrome) -> Iterator[Page]:
    """Open one narrow phone that gets our files from the disk and nothing else."""
    context = chrome.new_context(
        viewport={"width": 320, "height": 640}, java_script_enabled=False
    )
    page = context.new_page()
    page.route("**/*", _file)
    yield page
    context.close()


def _file(route: Route) -> None:
    path = STATIC / urlsplit(route.request.url).path.removeprefix("/static/")
    if path.is_file():
        route.fulfill(path=path)
    else:
        route.fulfill(status=404, body="")


def width_of(phone: Page, html: str) -> int:
    """Return how wide a page is on the phone, with all that folds laid open."""
    laid_open = html.replace("<details", "<details open")
    phone.route(f"{HOME}/", lambda route: route.fulfill(body=laid_open))
    phone.goto(f"{HOME}/")
    phone.unroute(f"{HOME}/")
    return int(phone.evaluate("document.documentElement.scrollWidth"))


@cache
def words_of_babel() -> set[str]:
    """Return the names of months, days and countries, which Babel translates."""
    rules = Locale.parse(BRACKETS)
    names = [
        name
        for calendar in (rules.months, rules.days)
        for width in ("abbreviated", "wide")
        for use in ("format", "stand-alone")
        for name in calendar[use][width].values()
    ]
    names += rules.territories.values()
    return {word for name in names for word in words_in(name)}


def escaped(page: str) -> list[str]:
    known = NAMES | words_of_babel()
    without = (re.sub(r"\S+@\S+|https?://\S+", "", text) for text in outside(page))
    return sorted(
        {
            text
            for text in without
            if words_in(text) - known and not is_of_the_core(text)
        }
    )


def read(browser: Browser, path: str, language: str) -> str:
    headers = {"Accept-Language": language}
    answer = browser.client.get(path, headers=headers, follow_redirects=True)
    assert answer.headers["Content-Language"] == language
    return answer.text


@pytest.fixture
def bracketed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with brackets(tmp_path / "locale", monkeypatch):
        yield


@pytest.mark.usefixtures("bracketed")
@pytest.mark.parametrize("state", [name for name in STATES if name not in LARGE])
def test_a_page_is_all_german_and_fits_a_narrow_phone(
    state: str, browser: Browser, stage: Stage, phone: Page
) -> None:
    scene = STATES[state](stage)
    if scene.runner_id is not None:
        browser.sign_in(scene.runner_id)

    page = read(browser, scene.path, BRACKETS)
    width, torn = width_of(phone, read(browser, scene.path, "de")), phone.evaluate(TORN)

    assert escaped(page) == []
    assert width <= 320
    assert torn == []
