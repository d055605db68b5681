"""A small picture of a week as a PNG: bars for distance, dots for moods.  Pure.

Mail programs strip drawings made of text (SVG), so the pixels are set here.
"""

import struct
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from sync.language import current_locale

WIDTH, HEIGHT = 1008, 320  # twice the size at which it is shown
_Colour: TypeAlias = tuple[int, int, int]
_PAPER: _Colour = (255, 255, 255)
_BAR: _Colour = (214, 206, 190)
_LINE: _Colour = (231, 226, 217)
_INK: _Colour = (90, 100, 115)
# Awful to Great: the colours that the dashboard uses, safe for colour-blind eyes.
_MOOD_COLOURS = (
    (75, 63, 158),
    (127, 119, 188),
    (150, 150, 150),
    (226, 164, 60),
    (194, 120, 3),
)
_BASELINE_Y, _TOP_Y, _RADIUS, _BAR_WIDTH = 250, 90, 17, 64
_FONT_FILE = Path(__file__).with_name("day_letters.txt")
_FONT_PIXEL = 4
_GLYPH_WIDTH = 5
# Rows between a letter's top and the marks above and below it.
_MARK_ABOVE, _MARK_BELOW = -3, 8


@dataclass(frozen=True, slots=True)
class PictureDay:
    """One day of the week: metres run, and the moods (-2 to 2) reported on it."""

    distance_m: float
    moods: Sequence[int]


def draw_week(days: Sequence[PictureDay], *, first_weekday: int = 0) -> bytes:
    """Draw seven days in a row, the longest bar as high as there is room.

    The first of them is Monday, or another of Python's weekdays.
    """
    canvas = _Canvas()
    max_distance_m = max((day.distance_m for day in days), default=0) or 1
    canvas.fill_rect(40, _BASELINE_Y, WIDTH - 80, 3, _LINE)
    day_letters = current_locale().days["stand-alone"]["narrow"]
    for day_index, day in enumerate(days):
        center_x = 40 + round((day_index + 0.5) * (WIDTH - 80) / 7)
        height = round(day.distance_m / max_distance_m * (_BASELINE_Y - _TOP_Y))
        canvas.fill_rect(
            center_x - _BAR_WIDTH // 2, _BASELINE_Y - height, _BAR_WIDTH, height, _BAR
        )
        canvas.draw_text(
            day_letters[(first_weekday + day_index) % 7], center_x, _BASELINE_Y + 20
        )
        first_x = center_x - (len(day.moods) - 1) * (_RADIUS + 3)
        for mood_index, mood in enumerate(day.moods):
            canvas.draw_dot(
                first_x + mood_index * 2 * (_RADIUS + 3),
                _BASELINE_Y - height - _RADIUS - 10,
                _MOOD_COLOURS[mood + 2],
            )
    return canvas.encode_png()


@cache
def load_glyphs() -> Mapping[str, Sequence[str]]:
    """Return the font: rows of "0" and "1" by capital letter and combining mark.

    One line of the file serves all letters that look alike in their alphabets.
    """
    glyphs = {}
    for line in _FONT_FILE.read_text(encoding="utf-8").splitlines():
        characters, *rows = line.split()
        glyphs.update(dict.fromkeys(characters.removeprefix("◌"), rows))
    return glyphs


class _Canvas:
    """Rows of pixels, three bytes each."""

    def __init__(self) -> None:
        self._rows = [bytearray(bytes(_PAPER) * WIDTH) for _ in range(HEIGHT)]

    def fill_rect(
        self, left: int, top: int, width: int, height: int, colour: _Colour
    ) -> None:
        for row in self._rows[max(top, 0) : top + height]:
            row[3 * left : 3 * (left + width)] = bytes(colour) * width

    def draw_dot(self, x: int, y: int, colour: _Colour) -> None:
        for dy in range(-_RADIUS, _RADIUS + 1):
            half_width = round((_RADIUS**2 - dy**2) ** 0.5)
            self.fill_rect(x - half_width, y + dy, 2 * half_width + 1, 1, colour)

    def draw_text(self, text: str, center_x: int, top: int) -> None:
        """Draw a day's letter or two as capitals, with the marks that they bear.

        What the font lacks stays blank: it must not cost a mail.
        """
        characters = unicodedata.normalize("NFD", text.upper())
        letter_count = sum(not unicodedata.combining(char) for char in characters)
        advance = (_GLYPH_WIDTH + 1) * _FONT_PIXEL
        left = center_x - (letter_count * advance - _FONT_PIXEL) // 2 - advance
        for character in characters:
            mark_class = unicodedata.combining(character)
            if mark_class == 0:
                left += advance
                first_row = 0
            else:
                first_row = _MARK_ABOVE if mark_class >= 230 else _MARK_BELOW
            for row_index, pixels in enumerate(load_glyphs().get(character, ())):
                y = top + (first_row + row_index) * _FONT_PIXEL
                for column_index, is_set in enumerate(pixels):
                    if is_set == "1":
                        x = left + column_index * _FONT_PIXEL
                        self.fill_rect(x, y, _FONT_PIXEL, _FONT_PIXEL, _INK)

    def encode_png(self) -> bytes:
        """Return the file: a header, the packed rows, and an end."""
        header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
        rows = b"".join(b"\0" + bytes(row) for row in self._rows)
        png = b"\x89PNG\r\n\x1a\n"
        for name, data in (
            (b"IHDR", header),
            (b"IDAT", zlib.compress(rows, 9)),
            (b"IEND", b""),
        ):
            checksum = struct.pack(">I", zlib.crc32(name + data))
            png += struct.pack(">I", len(data)) + name + data + checksum
        return png
