"""The claims in a real browser: one sheet of paper, both languages, no barriers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from flask import render_template
from playwright.sync_api import Browser, Page

from sync.analytics.figures import Figures
from sync.analytics.panels.discovery import list_panels
from sync.analytics.panels.panel import Panel
from sync.analytics.sentences.catalogue import build_note
from sync.analytics.sentences.milestones import Outcome, PanelDecision
from sync.language import LANGUAGES, activate_language
from sync.preferences import DEFAULT_PREFERENCES
from sync.runtime import Runtime
from tests.support.browser import DESKTOP, PHONE
from tests.support.harness import Harness
from tests.support.page_fixtures import STATES, build_claims
from tests.support.page_visit import open_phone
from tests.web.test_pages_in_browser import AUDIT, OPTIONS, SCHEMES
from web.app import create_app
from web.claims.views import build_claims_view
from web.dashboard.all_figures import load_all_figures

CLAIM_STATES = ("claims-0", "claims-3", "claims-20", "claims-500", "claims-all")
A4_POINTS = (595, 842)
PAGE = re.compile(rb"/Type\s*/Page\b")
SIZE = re.compile(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]")
COLOURS = """() => [...document.querySelectorAll('.sheet *')]
  .filter((one) => one.checkVisibility())
  .flatMap((one) => ['color', 'fill', 'backgroundColor', 'borderTopColor']
    .map((name) => getComputedStyle(one)[name]))
  .map((text) => text.match(/[\\d.]+/g)?.map(Number) ?? [])
  .filter(([r, g, b, alpha = 1]) => alpha && Math.max(r, g, b) - Math.min(r, g, b) > 32)
  .length"""


@dataclass(frozen=True)
class Visit:
    """A page that is open in one language."""

    page: Page
    language: str


@contextmanager
def visit_claims(
    chrome: Browser, site: str, harness: Harness, state: str, language: str
) -> Iterator[Visit]:
    scene = STATES[state](harness)
    with open_phone(chrome, site, scene, harness.runtime) as page:
        page.set_extra_http_headers({"Accept-Language": language})
        page.goto(f"{site}{scene.path}", wait_until="networkidle")
        yield Visit(page, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", CLAIM_STATES)
def test_they_are_usable_by_everyone_and_fit_one_sheet(
    state: str, language: str, chrome: Browser, site: str, harness: Harness
) -> None:
    with visit_claims(chrome, site, harness, state, language) as visit:
        page, found = visit.page, []
        page.evaluate(AXE_SCRIPT)
        for size in (PHONE, DESKTOP):
            page.set_viewport_size({"width": size["width"], "height": size["height"]})
            width = page.evaluate("document.documentElement.scrollWidth")
            found += [f"{width} wide"] if width > size["width"] else []
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                found += page.evaluate(AUDIT, OPTIONS)
        spoken = page.evaluate("document.documentElement.lang")
        pdf = page.pdf(prefer_css_page_size=True)

    assert spoken == language
    assert found == []
    assert len(PAGE.findall(pdf)) == 1
    size_found = SIZE.search(pdf)
    assert size_found
    assert tuple(round(float(side)) for side in size_found.groups()) == A4_POINTS


@pytest.mark.parametrize("language", LANGUAGES)
def test_paper_is_black_on_white_and_names_nobody(
    language: str, chrome: Browser, site: str, harness: Harness
) -> None:
    with visit_claims(chrome, site, harness, "claims-all", language) as visit:
        visit.page.emulate_media(media="print", color_scheme="dark")
        sheet = visit.page.inner_text(".sheet")
        coloured = visit.page.evaluate(COLOURS)
        tappable = visit.page.locator(".btn:visible, .ways:visible, nav:visible")

        assert tappable.count() == 0
        assert coloured == 0
        assert "2026" in sheet
        assert "260" in sheet
        assert "@" not in sheet


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_of_all_sentences_fit_one_sheet(
    language: str, chrome: Browser, site: str, harness: Harness, runtime: Runtime
) -> None:
    """Each panel says the longest thing it can, with the remark that it changed."""
    fixture = build_claims(harness)
    assert fixture.runner_id is not None
    app = create_app(runtime)
    with app.test_request_context("/claims"), activate_language(language):
        figures = load_all_figures(runtime, fixture.runner_id)
        html = render_template(
            "claims/claims.html",
            view=build_claims_view(
                let_all_be_long(figures, runtime),
                DEFAULT_PREFERENCES,
                now=runtime.now(),
                zone="Europe/Berlin",
            ),
        )
    with open_phone(chrome, site, fixture, runtime) as page:
        page.route("**/claims", lambda route: route.fulfill(body=html))
        page.goto(f"{site}/claims", wait_until="networkidle")
        pdf = page.pdf(prefer_css_page_size=True)
        said = page.inner_text(".sheet")

    assert len(PAGE.findall(pdf)) == 1
    assert said.count("240") >= 4


def let_all_be_long(figures: Figures, runtime: Runtime) -> Figures:
    return replace(
        figures,
        panels=tuple(let_be_long(panel, runtime) for panel in figures.panels),
    )


def let_be_long(panel: Panel, runtime: Runtime) -> Panel:
    """Return the panel with the longest of the sentences that it could have."""
    (definition,) = (one for one in list_panels() if one.name == panel.name)
    if definition.is_picture:
        return panel
    facts = {
        **dict.fromkeys(("n", "n_first", "n_second"), 240),
        **dict.fromkeys(("first", "second", "good_in", "good_out"), 0.5),
        "low_m": 40_000.0,
        "high_m": 60_000.0,
        "rho_low": -0.25,
        "rho_high": 0.35,
    }
    decisions = [
        PanelDecision(240, "", Outcome(f"{panel.name}.{verdict}", facts), runtime.now())
        for verdict in definition.sentences
    ]
    long = max(
        decisions, key=lambda one: len(definition.describe(one.outcome).render())
    )
    remarks = (*panel.drawing.remarks, build_note("more_today", n=240))
    return replace(
        panel,
        decision=long,
        finding=definition.describe(long.outcome),
        drawing=replace(panel.drawing, remarks=remarks),
    )
