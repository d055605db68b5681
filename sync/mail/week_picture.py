"""A small picture of a week as a PNG: bars for distance, dots for moods.  Pure.

Mail programs strip drawings made of text (SVG), so the pixels are set here.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sync.language import locale

WIDTH, HEIGHT = 1008, 320  # twice the size at which it is shown
_Colour: TypeAlias = tuple[int, int, int]
_PAPER, _BAR, _LINE, _INK = (
    (255, 255, 255),
    (214, 206, 190),
    (231, 226, 217),
    (90, 100, 115),
)
# Awful to Great: the colours that the dashboard uses, safe for colour-blind eyes.
_MOODS = (
    (75, 63, 158),
    (127, 119, 188),
    (150, 150, 150),
    (226, 164, 60),
    (194, 120, 3),
)
_BASE, _TOP, _RADIUS, _BAR_WIDTH = 250, 90, 17, 64
# Of the days' names in every language that we speak.
_LETTERS = {
    "D": ("11110", "10001", "10001", "10001", "10001", "10001", "11110"),
    "M": ("10001", "11011", "10101", "10001", "10001", "10001", "10001"),
    "T": ("11111", "00100", "00100", "00100", "00100", "00100", "00100"),
    "W": ("10001", "10001", "10001", "10101", "10101", "11011", "10001"),
    "F": ("11111", "10000", "10000", "11110", "10000", "10000", "10000"),
    "S": ("01111", "10000", "10000", "01110", "00001", "00001", "11110"),
}
_PIXEL = 4


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the week: metres run, and the moods (-2 to 2) said on it."""

    distance_m: float
    moods: Sequence[int]


def week_picture(days: Sequence[Day], *, first_weekday: int = 0) -> bytes:
    """Draw seven days in a row, the longest bar as high as there is room.

    The first of them is Monday, or another of Python's weekdays.
    """
    canvas = _Canvas()
    most = max((day.distance_m for day in days), default=0) or 1
    canvas.box((40, _BASE, WIDTH - 80, 3), _LINE)
    letters = locale().days["stand-alone"]["narrow"]
    for number, day in enumerate(days):
        middle = 40 + round((number + 0.5) * (WIDTH - 80) / 7)
        height = round(day.distance_m / most * (_BASE - _TOP))
        canvas.box((middle - _BAR_WIDTH // 2, _BASE - height, _BAR_WIDTH, height), _BAR)
        letter = letters[(first_weekday + number) % 7]
        canvas.letter(letter, middle, _BASE + 20)
        first = middle - (len(day.moods) - 1) * (_RADIUS + 3)
        for place, mood in enumerate(day.moods):
            x = first + place * 2 * (_RADIUS + 3)
            canvas.dot(x, _BASE - height - _RADIUS - 10, _MOODS[mood + 2])
    return canvas.png()


class _Canvas:
    """Rows of pixels, three bytes each."""

    def __init__(self) -> None:
        self._rows = [bytearray(bytes(_PAPER) * WIDTH) for _ in range(HEIGHT)]

    def box(self, place: tuple[int, int, int, int], colour: _Colour) -> None:
        left, top, width, height = place
        for row in self._rows[max(top, 0) : top + height]:
            row[3 * left : 3 * (left + width)] = bytes(colour) * width

    def dot(self, x: int, y: int, colour: _Colour) -> None:
        for step in range(-_RADIUS, _RADIUS + 1):
            half = round((_RADIUS**2 - step**2) ** 0.5)
            self.box((x - half, y + step, 2 * half + 1, 1), colour)

    def letter(self, name: str, middle: int, top: int) -> None:
        left = middle - 5 * _PIXEL // 2
        # A letter that we cannot draw must not cost a mail.
        for line, pixels in enumerate(_LETTERS.get(name, ())):
            for column, is_set in enumerate(pixels):
                if is_set == "1":
                    x, y = left + column * _PIXEL, top + line * _PIXEL
                    self.box((x, y, _PIXEL, _PIXEL), _INK)

    def png(self) -> bytes:
        """Return the file: a header, the packed rows, and an end."""
        packed = zlib.compress(b"".join(b"\0" + bytes(row) for row in self._rows), 9)
        header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + check
