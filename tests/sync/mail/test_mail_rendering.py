"""Every mail in a real browser: narrow and wide, light and dark, kept as pictures."""

import re
from base64 import b64encode
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from sync.mail.week_picture import Day, week_picture
from tests.support.browser import ARTIFACTS, visitor

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.html"))
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

TILES = 'a[href*="?m="]'
ASKING = {
    "checkin",
    "survey",
    "survey_reminder",
    "survey_reversed",
    "survey_with_distance",
}


def as_a_mail_program_shows(path: Path) -> str:
    """Return the mail with the picture that it carries in its place."""
    days = [Day(5000, [1]), Day(0, []), Day(0, []), Day(8200, [2]), Day(0, [])]
    png = week_picture([*days, Day(14_000, []), Day(0, [])])
    shown = f"data:image/png;base64,{b64encode(png).decode()}"
    return re.sub(r"cid:[^\"]+", shown, path.read_text())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [320, 390, 640])
def test_every_mail_fits_and_its_answers_can_be_tapped(
    chrome: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    folder = ARTIFACTS / "mail"
    folder.mkdir(parents=True, exist_ok=True)

    with visitor(chrome, size={"width": width, "height": 700}, scheme=scheme) as page:
        for path in GOLDEN:
            page.set_content(as_a_mail_program_shows(path))
            page.screenshot(path=folder / f"{path.stem}_{width}_{scheme}.png")
            shown = page.evaluate("document.documentElement.scrollWidth")
            tiles = [tile.bounding_box() for tile in page.locator(TILES).all()]

            assert shown <= width, path.stem
            kind = path.stem.removesuffix(".de")
            assert len(tiles) == (5 if kind in ASKING else 0)
            for box in tiles:
                assert box is not None
                assert min(box["width"], box["height"]) >= 44, path.stem
