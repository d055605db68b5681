"""A small picture of a week as a PNG: bars for distance, dots for moods.  Pure.

Mail programs strip drawings made of text (SVG), so the pixels are set here.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sync.language import current_locale

WIDTH, HEIGHT = 1008, 320  # twice the size at which it is shown
_Colour: TypeAlias = tuple[int, int, int]
_PAPER, _BAR, _LINE, _INK = (
    (255, 255, 255),
    (214, 206, 190),
    (231, 226, 217),
    (90, 100, 115),
)
# Awful to Great: the colours that the dashboard uses, safe for colour-blind eyes.
_MOOD_COLOURS = (
    (75, 63, 158),
    (127, 119, 188),
    (150, 150, 150),
    (226, 164, 60),
    (194, 120, 3),
)
_BASELINE_Y, _TOP_Y, _RADIUS, _BAR_WIDTH = 250, 90, 17, 64
# Of the days' names in every language that we speak.
_GLYPHS = {
    "D": ("11110", "10001", "10001", "10001", "10001", "10001", "11110"),
    "M": ("10001", "11011", "10101", "10001", "10001", "10001", "10001"),
    "T": ("11111", "00100", "00100", "00100", "00100", "00100", "00100"),
    "W": ("10001", "10001", "10001", "10101", "10101", "11011", "10001"),
    "F": ("11111", "10000", "10000", "11110", "10000", "10000", "10000"),
    "S": ("01111", "10000", "10000", "01110", "00001", "00001", "11110"),
}
_GLYPH_PIXEL = 4


@dataclass(frozen=True, slots=True)
class PictureDay:
    """One day of the week: metres run, and the moods (-2 to 2) said on it."""

    distance_m: float
    moods: Sequence[int]


def draw_week(days: Sequence[PictureDay], *, first_weekday: int = 0) -> bytes:
    """Draw seven days in a row, the longest bar as high as there is room.

    The first of them is Monday, or another of Python's weekdays.
    """
    canvas = _Canvas()
    max_distance_m = max((day.distance_m for day in days), default=0) or 1
    canvas.fill_rect((40, _BASELINE_Y, WIDTH - 80, 3), _LINE)
    letters = current_locale().days["stand-alone"]["narrow"]
    for day_index, day in enumerate(days):
        center_x = 40 + round((day_index + 0.5) * (WIDTH - 80) / 7)
        height = round(day.distance_m / max_distance_m * (_BASELINE_Y - _TOP_Y))
        canvas.fill_rect(
            (center_x - _BAR_WIDTH // 2, _BASELINE_Y - height, _BAR_WIDTH, height), _BAR
        )
        letter = letters[(first_weekday + day_index) % 7]
        canvas.draw_letter(letter, center_x, _BASELINE_Y + 20)
        first_x = center_x - (len(day.moods) - 1) * (_RADIUS + 3)
        for mood_index, mood in enumerate(day.moods):
            x = first_x + mood_index * 2 * (_RADIUS + 3)
            canvas.draw_dot(
                x, _BASELINE_Y - height - _RADIUS - 10, _MOOD_COLOURS[mood + 2]
            )
    return canvas.encode_png()


class _Canvas:
    """Rows of pixels, three bytes each."""

    def __init__(self) -> None:
        self._rows = [bytearray(bytes(_PAPER) * WIDTH) for _ in range(HEIGHT)]

    def fill_rect(self, rect: tuple[int, int, int, int], colour: _Colour) -> None:
        left, top, width, height = rect
        for row in self._rows[max(top, 0) : top + height]:
            row[3 * left : 3 * (left + width)] = bytes(colour) * width

    def draw_dot(self, x: int, y: int, colour: _Colour) -> None:
        for dy in range(-_RADIUS, _RADIUS + 1):
            half_width = round((_RADIUS**2 - dy**2) ** 0.5)
            self.fill_rect((x - half_width, y + dy, 2 * half_width + 1, 1), colour)

    def draw_letter(self, character: str, center_x: int, top: int) -> None:
        left = center_x - 5 * _GLYPH_PIXEL // 2
        # A letter that we cannot draw must not cost a mail.
        for row_index, pixels in enumerate(_GLYPHS.get(character, ())):
            for column_index, is_set in enumerate(pixels):
                if is_set == "1":
                    x, y = (
                        left + column_index * _GLYPH_PIXEL,
                        top + row_index * _GLYPH_PIXEL,
                    )
                    self.fill_rect((x, y, _GLYPH_PIXEL, _GLYPH_PIXEL), _INK)

    def encode_png(self) -> bytes:
        """Return the file: a header, the packed rows, and an end."""
        compressed = zlib.compress(
            b"".join(b"\0" + bytes(row) for row in self._rows), 9
        )
        header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", compressed), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_build_chunk(*chunk) for chunk in chunks)


def _build_chunk(name: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + checksum
