"""The colours of mood can be told apart, and words read, by script."""

import re
from itertools import combinations
from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

import pytest

from tests.support.paths import ROOT

CSS = (ROOT / "web/static/app.css").read_text()
# Machado, Oliveira and Fernandes (2009): full strength, on linear RGB.
SIGHTS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = (0.95047, 1.0, 1.08883)
Colour = tuple[float, float, float]
Matrix = tuple[Colour, Colour, Colour]


def tokens(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r"(?s):root \{(.*?)\n *\}", CSS)[:2]
    return dict(
        re.findall(r"--([\w-]+): (#\w+);", light if scheme == "light" else dark)
    )


def to_linear(colour: str) -> Colour:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    bent = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return bent[0], bent[1], bent[2]


def multiply(matrix: Matrix, colour: Colour) -> Colour:
    product = [sum(a * b for a, b in zip(row, colour, strict=True)) for row in matrix]
    return product[0], product[1], product[2]


def to_lab(rgb: Colour) -> Colour:
    seen = multiply(TO_XYZ, tuple(min(1.0, max(0.0, part)) for part in rgb))  # type: ignore[arg-type]
    x, y, z = (
        share ** (1 / 3) if share > 216 / 24389 else (24389 / 27 * share + 16) / 116
        for share in (a / b for a, b in zip(seen, WHITE, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(first: Colour, second: Colour) -> float:
    """Sharma, Wu and Dalal (2005), all weights 1."""
    c_mean = (hypot(*first[1:]) + hypot(*second[1:])) / 2
    g = 0.5 * (1 - sqrt(c_mean**7 / (c_mean**7 + 25**7)))
    (l1, a1, b1), (l2, a2, b2) = first, second
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = degrees(atan2(b1, a1)) % 360, degrees(atan2(b2, a2)) % 360
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    h = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * cos(radians(h - 30))
        + 0.24 * cos(radians(2 * h))
        + 0.32 * cos(radians(3 * h + 6))
        - 0.20 * cos(radians(4 * h - 63))
    )
    dl = (l2 - l1) / (1 + 0.015 * (lm - 50) ** 2 / sqrt(20 + (lm - 50) ** 2))
    dc = (c2 - c1) / (1 + 0.045 * cm)
    dh = 2 * sqrt(c1 * c2) * sin(radians(turn / 2)) / (1 + 0.015 * cm * t)
    twist = 30 * exp(-(((h - 275) / 25) ** 2))
    rt = -2 * sqrt(cm**7 / (cm**7 + 25**7)) * sin(radians(2 * twist))
    return sqrt(dl**2 + dc**2 + dh**2 + rt * dc * dh)


def contrast(first: str, second: str) -> float:
    low, high = sorted(
        sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), to_linear(c), strict=True))
        for c in (first, second)
    )
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_gives_the_published_differences(
    one: Colour, other: Colour, expected: float
) -> None:
    assert ciede2000(one, other) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sight", SIGHTS)
def test_any_two_moods_differ_for_every_kind_of_sight(scheme: str, sight: str) -> None:
    known = tokens(scheme)
    seen = [
        to_lab(multiply(SIGHTS[sight], to_linear(known[f"m{mood}"])))
        for mood in range(1, 6)
    ]

    assert min(ciede2000(*pair) for pair in combinations(seen, 2)) >= 14


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(scheme: str) -> None:
    known = tokens("light") | tokens(scheme)
    grounds = ("paper", "card", "fill")
    pairs = [(words, on) for words in ("ink", "muted", "bad") for on in grounds[:2]]
    pairs += [("btn-ink", "btn"), ("muted", "fill"), ("label", "card")]
    pairs += [(f"t{mood}", f"m{mood}") for mood in range(1, 6)]

    faint = {pair: contrast(*(known[name] for name in pair)) for pair in pairs}

    assert {pair: seen for pair, seen in faint.items() if seen < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_dot_stands_out_from_its_card(scheme: str) -> None:
    known = tokens("light") | tokens(scheme)

    for mood in range(1, 6):
        outline, fill = known[f"o{mood}"], known[f"m{mood}"]
        assert max(contrast(outline, known["card"]), contrast(fill, known["card"])) >= 3
