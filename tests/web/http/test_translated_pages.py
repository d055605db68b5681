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

from tests.support.data_file_texts import is_data_file_text
from tests.support.harness import Harness
from tests.support.message_catalogue import BRACKET_LANGUAGE, bracketed_language
from tests.support.page_fixtures import STATES
from tests.support.page_text import find_unbracketed, find_words
from tests.web.conftest import PageClient

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


def measure_width(phone: Page, html: str) -> int:
    """Return how wide a page is on the phone, with all that folds laid open."""
    laid_open = html.replace("<details", "<details open")
    phone.route(f"{HOME}/", lambda route: route.fulfill(body=laid_open))
    phone.goto(f"{HOME}/")
    phone.unroute(f"{HOME}/")
    return int(phone.evaluate("document.documentElement.scrollWidth"))


@cache
def list_babel_words() -> set[str]:
    """Return the names of months, days and countries, which Babel translates."""
    rules = Locale.parse(BRACKET_LANGUAGE)
    names = [
        name
        for calendar in (rules.months, rules.days)
        for width in ("abbreviated", "wide")
        for use in ("format", "stand-alone")
        for name in calendar[use][width].values()
    ]
    names += rules.territories.values()
    return {word for name in names for word in find_words(name)}


def find_untranslated(page: str) -> list[str]:
    allowed = NAMES | list_babel_words()
    without = (
        re.sub(r"\S+@\S+|https?://\S+", "", text) for text in find_unbracketed(page)
    )
    return sorted(
        {
            text
            for text in without
            if find_words(text) - allowed and not is_data_file_text(text)
        }
    )


def read_page(browser: PageClient, path: str, language: str) -> str:
    headers = {"Accept-Language": language}
    answer = browser.client.get(path, headers=headers, follow_redirects=True)
    assert answer.headers["Content-Language"] == language
    return answer.text


@pytest.fixture
def bracketed_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with bracketed_language(tmp_path / "locale", monkeypatch):
        yield


@pytest.mark.usefixtures("bracketed_texts")
@pytest.mark.parametrize("state", [name for name in STATES if name not in LARGE])
def test_a_page_is_all_german_and_fits_a_narrow_phone(
    state: str, browser: PageClient, harness: Harness, phone: Page
) -> None:
    scene = STATES[state](harness)
    if scene.runner_id is not None:
        browser.sign_in(scene.runner_id)

    page = read_page(browser, scene.path, BRACKET_LANGUAGE)
    width, torn = (
        measure_width(phone, read_page(browser, scene.path, "de")),
        phone.evaluate(TORN),
    )

    assert find_untranslated(page) == []
    assert width <= 320
    assert torn == []
