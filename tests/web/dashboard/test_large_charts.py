"""A page of thousands of dots says of each what it is, once it is asked."""

import json
import re

from playwright.sync_api import Browser, expect

from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import build_fixture
from tests.support.page_visit import open_page

ADDRESS = "/dashboard/read-outs.json?period=all"


def test_what_thousands_of_dots_say_comes_when_a_chart_is_first_touched(
    chrome: Browser, site: str, runtime: Runtime
) -> None:
    scene = build_fixture(runtime, "runs-10000")

    with open_page(chrome, site, scene, runtime) as (page, weight):
        before = list(weight.urls)
        with page.expect_response(f"{site}{ADDRESS}") as brought:
            page.locator("[data-points=points-week]").press("End")
        spoken = page.get_by_role("status").last
        expect(spoken).to_contain_text(re.compile(r"in 7 days\. 7000 of 7000"))
        page.locator("[data-points=points-week]").press("ArrowLeft")
        expect(spoken).to_contain_text(re.compile(r"in 7 days\. 6999 of 7000"))
        points = json.loads(page.locator("#points-week").text_content() or "")
        said = brought.value.json()
        asked = [one for one in weight.urls if ADDRESS in one]

    assert f"{site}{ADDRESS}" not in before
    assert len(asked) == 1
    assert {str(run) for *_, run in points} == set(said)
