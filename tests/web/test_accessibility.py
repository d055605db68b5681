"""Large text, little room, paper, other colours, less motion, a slow line."""

import pytest
from playwright.sync_api import Browser, Page

from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import build_fixture
from tests.support.page_visit import open_page, open_phone

# Words beside each other on an axis, and things to tap, must not lie on one another.
OVERLAPS = """() => {
  const found = [];
  const kinds = ['.axis text', 'button, .btn, summary, .tap, nav a, .foot a, input'];
  for (const kind of kinds) {
    const boxes = [...document.querySelectorAll(kind)]
      .filter((one) => one.checkVisibility({visibilityProperty: true}))
      .filter((one) => !one.matches('label input') && !one.closest('.scroll'))
      .map((one) => [one, one.getBoundingClientRect()])
      .filter(([, box]) => box.width && box.height);
    for (const [i, [one, a]] of boxes.entries())
      for (const [other, b] of boxes.slice(i + 1))
        if (!one.contains(other) && !other.contains(one)
            && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
          found.push(`${one.textContent} | ${other.textContent}`);
  }
  return found;
}"""
# What scrolls inside itself on purpose is `.scroll`; nothing else may be cut.
CUT = """() => [...document.querySelectorAll('main *')]
  .filter((one) => one.checkVisibility() && !one.closest('.scroll, .vh, svg'))
  .filter((one) => getComputedStyle(one).overflowX !== 'visible')
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 90))"""
HIDDEN_HEADINGS = """() => [...document.querySelectorAll('main h1, main h2, main h3')]
  .filter((one) => !one.closest('form') && !one.checkVisibility())
  .map((one) => one.textContent)"""
WIDTH = "document.documentElement.scrollWidth"
LARGE = "document.documentElement.style.fontSize = '200%'"
CONTRAST = """([name, property]) => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((one) => one / 255)
      .map((one) => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const ink = light(getComputedStyle(document.querySelector(name))[property]);
  return (Math.max(ground, ink) + .05) / (Math.min(ground, ink) + .05);
}"""
SCENES = ("answers-500", "to-answer", "survey", "run", "strava-disconnected")


@pytest.mark.parametrize("name", SCENES)
def test_little_room_and_large_text_cut_and_cover_nothing(
    name: str, chrome: Browser, site: str, runtime: Runtime
) -> None:
    with open_page(chrome, site, build_fixture(runtime, name), runtime) as (page, _):
        page.set_viewport_size({"width": 320, "height": 640})
        narrow = list_layout_problems(page, 320)
        page.set_viewport_size({"width": 390, "height": 844})
        page.evaluate(LARGE)
        large = list_layout_problems(page, 390)

    assert narrow == []
    assert large == []


def list_layout_problems(page: Page, width: int) -> list[str]:
    wide = page.evaluate(WIDTH)
    problems = [f"{wide} wide"] if wide > width else []
    problems += [f"overlap: {pair}" for pair in page.evaluate(OVERLAPS)]
    problems += [f"cut: {pair}" for pair in page.evaluate(CUT)]
    return problems


def test_paper_gets_everything_that_can_be_read_and_nothing_to_tap(
    chrome: Browser, site: str, runtime: Runtime
) -> None:
    scene = build_fixture(runtime, "answers-500")

    with open_page(chrome, site, scene, runtime) as (page, _):
        page.set_viewport_size({"width": 700, "height": 1000})  # A4 within margins
        page.emulate_media(media="print", color_scheme="dark")

        assert page.evaluate(HIDDEN_HEADINGS) == []
        assert page.evaluate(WIDTH) <= 700
        assert page.locator("nav:visible, select:visible, button:visible").count() == 0
        clipped = "(one) => one.scrollHeight > one.clientHeight + 1"
        scrolls = page.locator(".scroll:visible").all()
        assert scrolls
        assert not any(one.evaluate(clipped) for one in scrolls)
        ground = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(ground) == "rgb(255, 255, 255)"
        assert page.evaluate(CONTRAST, [".lead", "color"]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_the_readers_own_colours_everything_stands_out(
    scheme: str, chrome: Browser, site: str, runtime: Runtime
) -> None:
    scene = build_fixture(runtime, "answers-500")

    with open_page(chrome, site, scene, runtime) as (page, _):
        is_dark = scheme == "dark"
        page.emulate_media(
            forced_colors="active", color_scheme="dark" if is_dark else "light"
        )
        seen = {
            name: page.evaluate(CONTRAST, [name, part])
            for name, part in (
                (".trend:not(.halo)", "stroke"),
                (".whisker", "stroke"),
                (".axis text", "fill"),
                (".bars rect", "fill"),
                (".muted", "color"),
            )
        }
        chosen = page.locator(".switch input:checked + span")
        outline = chosen.evaluate("(one) => getComputedStyle(one).outlineStyle")

    assert {name: ratio for name, ratio in seen.items() if ratio < 4.5} == {}
    assert outline == "solid"


def test_who_wants_less_motion_gets_none(
    chrome: Browser, site: str, runtime: Runtime
) -> None:
    with open_page(chrome, site, build_fixture(runtime, "answers-20"), runtime) as (
        page,
        _,
    ):
        page.emulate_media(reduced_motion="reduce")
        moving = page.evaluate(
            """() => [...document.querySelectorAll('*')]
                 .map((one) => getComputedStyle(one))
                 .filter((one) => parseFloat(one.transitionDuration) > 0
                   || one.animationName !== 'none' || one.scrollBehavior === 'smooth')
                 .length"""
        )

    assert moving == 0


def test_on_a_line_that_brings_only_the_page_all_can_be_read_and_done(
    chrome: Browser, site: str, runtime: Runtime
) -> None:
    """Neither the font nor the style nor the script ever arrives."""
    scene = build_fixture(runtime, "to-answer")

    with open_phone(chrome, site, scene, runtime) as page:
        page.route("**/static/**", lambda route: route.abort())
        page.goto(f"{site}{scene.path}")
        page.get_by_role("button", name="Great").first.click()
        page.get_by_text("Change this answer").first.wait_for()

        assert page.get_by_text("1 answer from 130 runs").is_visible()
