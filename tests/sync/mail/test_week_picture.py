"""The letters under the bars of a week, in the alphabets that they come in."""

import struct
import unicodedata
import zlib
from types import SimpleNamespace

import pytest
from babel import Locale

from sync.language import LANGUAGES, activate_language
from sync.mail import week_picture
from sync.mail.week_picture import HEIGHT, WIDTH, PictureDay, draw_week, load_glyphs

# Languages that Moodmiles may speak one day, besides those that it speaks.
EUROPEAN = "bg cs da el es et fi fr hr hu it lt lv nb nl pl pt ro ru sk sl sv tr uk"
INK = bytes((90, 100, 115))


@pytest.mark.parametrize("language", [*LANGUAGES, *EUROPEAN.split()])
def test_the_font_has_every_letter_and_mark_of_the_days(language: str) -> None:
    days = Locale.parse(language).days["stand-alone"]["narrow"].values()
    characters = set(unicodedata.normalize("NFD", "".join(days).upper()))

    assert characters - set(load_glyphs()) == set()


def test_every_glyph_fills_its_box() -> None:
    for character, rows in load_glyphs().items():
        is_mark = bool(unicodedata.combining(character))
        assert {len(row) for row in rows} == {5}, character
        assert len(rows) == (2 if is_mark else 7), character
        assert set("".join(rows)) == {"0", "1"}, character


def test_a_mark_stands_above_its_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = draw_days("C" * 7, monkeypatch)
    marked = draw_days("Č" * 7, monkeypatch)
    below = draw_days("Ç" * 7, monkeypatch)

    assert find_inked_rows(marked) - find_inked_rows(plain) == set(range(258, 266))
    assert find_inked_rows(below) - find_inked_rows(plain) == set(range(302, 310))
    assert marked[270:] == plain[270:]


def test_a_letter_that_the_font_lacks_stays_blank(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = draw_days("月" * 7, monkeypatch)

    assert len(rows) == HEIGHT
    assert len(rows[0]) == 3 * WIDTH
    assert find_inked_rows(rows) == set()


def test_the_longest_day_is_the_highest_bar_and_moods_have_their_colours() -> None:
    week = [
        PictureDay(0, []),
        PictureDay(5000, [-2]),
        PictureDay(0, [0]),
        PictureDay(10_000, [2, 1]),
    ]
    rows = decode_pixels(draw_week(week + [PictureDay(0, [])] * 3))

    bars = [
        sum(row[3 * x : 3 * x + 3] == bytes((214, 206, 190)) for row in rows)
        for x in (239, 503)
    ]
    colours = {bytes(row[at : at + 3]) for row in rows for at in range(0, len(row), 3)}
    assert bars == [80, 160]
    assert bytes((75, 63, 158)) in colours
    assert bytes((194, 120, 3)) in colours
    assert bytes((127, 119, 188)) not in colours


def test_an_empty_week_can_be_drawn_too() -> None:
    assert decode_pixels(draw_week([PictureDay(0, [])] * 7))


def test_the_letters_under_the_bars_are_the_languages_own() -> None:
    week = [PictureDay(5000, [1])] * 7

    with activate_language("de"):
        german = draw_week(week)

    assert german != draw_week(week)


def draw_days(letters: str, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the pixels of an empty week whose days have these letters."""
    days = {"stand-alone": {"narrow": dict(enumerate(letters))}}
    locale = SimpleNamespace(days=days)
    monkeypatch.setattr(week_picture, "current_locale", lambda: locale)
    return decode_pixels(draw_week([PictureDay(0, [])] * 7))


def find_inked_rows(rows: list[bytes]) -> set[int]:
    return {number for number, row in enumerate(rows) if INK in row}


def decode_pixels(png: bytes) -> list[bytes]:
    """Read a picture back as rows of pixels."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colours = struct.unpack(">IIBB", png[16:26])
    assert (width, height, depth, colours) == (WIDTH, HEIGHT, 8, 2)
    start = png.index(b"IDAT") + 4
    raw = zlib.decompress(png[start : png.index(b"IEND") - 8])
    line = 3 * WIDTH + 1
    return [raw[at + 1 : at + line] for at in range(0, len(raw), line)]
