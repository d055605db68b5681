"""Every mail in a real browser: narrow and wide, light and dark, kept as pictures."""

import re
from base64 import b64encode
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from sync.mail.week_picture import PictureDay, draw_week
from tests.support.browser import ARTIFACTS, open_visitor

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
    days = [
        PictureDay(5000, [1]),
        PictureDay(0, []),
        PictureDay(0, []),
        PictureDay(8200, [2]),
        PictureDay(0, []),
    ]
    png = draw_week([*days, PictureDay(14_000, []), PictureDay(0, [])])
    shown = f"data:image/png;base64,{b64encode(png).decode()}"
    return re.sub(r"cid:[^\"]+", shown, path.read_text())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [320, 390, 640])
def test_every_mail_fits_and_its_answers_can_be_tapped(
    chrome: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    folder = ARTIFACTS / "mail"
    folder.mkdir(parents=True, exist_ok=True)

    with open_visitor(
        chrome, size={"width": width, "height": 700}, scheme=scheme
    ) as page:
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
