"""Every state in a real browser: both schemes, both sizes, without a complaint."""

import os
from typing import Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from sync.runtime import Runtime
from tests.support.browser import DESKTOP, PHONE, save_screenshot
from tests.support.harness import Harness
from tests.support.page_fixtures import STATES
from tests.support.page_visit import open_page, open_phone

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What passes is not told: on a large page that would be megabytes each time.
OPTIONS = {"runOnly": RULES, "resultTypes": ["violations"]}
AUDIT = """(options) => axe.run(options).then((report) => report.violations.map((one) =>
  `${one.id} ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 120))}`))"""
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


HINDERING = """<!doctype html><html lang=en><title>x</title><style>
@media (prefers-color-scheme: dark) { p { color: #777; background: #555; } }
button { height: 20px; }</style>
<main><h1>x</h1><p>Grey on grey.</p><img src="data:,"><button>Go</button></main>"""
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
SHIFT = """() => new Promise((done) => {
  let total = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) total += one.value;
  }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(total), 200);
})"""


def list_barriers(page: Page, state: str) -> list[str]:
    """List what axe finds and what is too small, in both sizes and schemes."""
    violations = []
    page.evaluate(AXE_SCRIPT)
    for size, box in SIZES.items():
        page.set_viewport_size({"width": box["width"], "height": box["height"]})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            audit = page.evaluate(AUDIT, OPTIONS)
            violations += [f"{size} {scheme} {selector}" for selector in audit]
            if os.environ.get("KEEP_PICTURES"):
                save_screenshot(page, f"{state}-{size}-{scheme}")
        violations += [
            f"{size} too small: {selector}" for selector in page.evaluate(TOO_SMALL)
        ]
    return violations


@pytest.mark.parametrize("state", STATES)
def test_a_page_is_usable_by_everyone(
    state: str, chrome: Browser, site: str, harness: Harness, runtime: Runtime
) -> None:
    scene = STATES[state](harness)

    with open_page(chrome, site, scene, runtime) as (page, _):
        page.evaluate(OPEN_ALL)
        found = list_barriers(page, state)
        page.set_viewport_size({"width": 320, "height": 640})
        width = page.evaluate("document.documentElement.scrollWidth")

    assert found == []
    assert width <= 320


def test_what_hinders_is_found_in_each_size_and_scheme(chrome: Browser) -> None:
    context = chrome.new_context()
    page = context.new_page()
    page.set_content(HINDERING)
    found = list_barriers(page, "hindering")
    context.close()

    told = [one.split(" <")[0] for one in found]
    both = [f"{size} light image-alt" for size in SIZES]
    assert {*both, "phone dark color-contrast", "desktop dark color-contrast"} <= {
        *told
    }
    assert "phone light color-contrast" not in told
    assert any(one.startswith("phone too small: <button") for one in found)


@pytest.mark.parametrize("state", ["going", "keep"])
def test_a_page_behind_a_button_is_usable_by_everyone(
    state: str, chrome: Browser, site: str, harness: Harness, runtime: Runtime
) -> None:
    scene = STATES[state](harness)

    with open_phone(chrome, site, scene, runtime) as page:
        page.goto(f"{site}{scene.path}")
        page.locator("form:not([action='/logout']) button").first.click()
        page.wait_for_load_state("networkidle")
        title, found = page.title(), list_barriers(page, f"{state}-after")

    assert title.startswith(("Everything is kept", "There is nothing to keep here"))
    assert found == []


def test_the_survey_is_light_and_needs_no_script(
    chrome: Browser, site: str, harness: Harness, runtime: Runtime
) -> None:
    scene = STATES["survey"](harness)

    with open_page(chrome, site, scene, runtime) as (page, weight):
        scripts = page.locator("script").count()
        shift = page.evaluate(SHIFT)

    assert scripts == 0
    assert shift <= 0.02
    assert weight.total <= 40_000


def test_a_dashboard_of_500_answers_is_light(
    chrome: Browser, site: str, harness: Harness, runtime: Runtime
) -> None:
    scene = STATES["answers-500"](harness)

    with open_page(chrome, site, scene, runtime) as (page, weight):
        nodes = page.evaluate("document.querySelectorAll('*').length")
        shift = page.evaluate(SHIFT)

    assert weight.total <= 100_000
    assert weight.scripts <= 10_000
    assert nodes <= 3_000
    assert shift <= 0.02
