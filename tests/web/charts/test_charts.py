"""Charts: plain data in, SVG out."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.charts import mood_rows, scale, week_bars
from web.charts.layers import Point, draw_dots
from web.charts.mood_rows import BestRange, Dots, MoodCurve
from web.charts.sina import compute_offsets, radical_inverse
from web.charts.week_bars import WeekDistance

Dot = tuple[float, int]  # a distance and a mood
some_dots = st.lists(st.tuples(st.floats(0, 400), st.integers(1, 5)), max_size=60)


def read_columns(dots: Sequence[Dot]) -> Dots:
    """Return dots that all count, numbered from 0."""
    return Dots(
        distance=[distance for distance, _ in dots],
        mood=[mood for _, mood in dots],
        number=list(range(len(dots))),
        hollow=[False] * len(dots),
    )


def parse_svg(svg: str) -> ET.Element:
    return ET.fromstring(f"<svg>{svg}</svg>")  # noqa: S314 - our own drawing


@given(some_dots)
def test_every_run_has_its_dot_inside_its_own_row(answered: list[Dot]) -> None:
    drawn = mood_rows.draw(read_columns(answered))

    parse_svg(drawn.svg)
    dots = drawn.dots
    assert len(dots.x) == len(answered)
    for across, down, mood in zip(dots.x, dots.y, dots.mood, strict=True):
        assert isinstance(across, int)
        assert isinstance(down, int)
        assert isinstance(mood, int)
        assert 0 <= across <= 1000
        assert 500 - mood * 100 <= down <= 600 - mood * 100
    assert drawn.svg.count("h0") == 2 * len(answered)


def test_the_line_the_band_and_the_best_range_are_drawn() -> None:
    answered = read_columns([(distance, 3) for distance in range(5, 60)])
    line = MoodCurve(
        [5, 30, 90], [2, 4, 3], low=[1, 3, 2], high=[3, 5, 4], is_dashed=True
    )

    drawn = mood_rows.draw(answered, line=line, best=BestRange(30, 45))

    assert 'class="sweet"' in drawn.svg
    assert 'class="band"' in drawn.svg
    assert 'class="trend halo dash"' in drawn.svg
    assert drawn.best
    assert drawn.best.text == "30–45 km"
    assert max(int(x) for x in re.findall(r"[ML](\d+) ", drawn.svg)) <= 1000


def test_without_answers_the_rows_are_empty() -> None:
    drawn = mood_rows.draw(read_columns([]))

    assert drawn.dots.x == []
    assert drawn.svg.count('class="row"') == 5


def test_crowded_dots_spread_and_lonely_ones_stay_on_the_line() -> None:
    *crowd, lonely = compute_offsets([0.2] * 41, [1] * 40 + [2])

    assert lonely == pytest.approx(0, abs=0.05)
    assert max(crowd) - min(crowd) > 0.8


def test_dots_that_touch_lie_in_different_layers() -> None:
    apart = draw_dots([Point(100, 50), Point(200, 50), Point(300, 50)])
    together = draw_dots([Point(100, 50), Point(101, 50), Point(102, 50)])

    assert apart.count("<path") == 2
    assert together.count("<path") == 6


def test_thousands_of_dots_stay_a_small_document() -> None:
    crowd = read_columns(
        [(10 + number % 50, 1 + number % 5) for number in range(10_000)]
    )

    drawn = mood_rows.draw(crowd)

    assert drawn.svg.count("<path") < 160


def test_mirrored_bits_fall_evenly() -> None:
    assert [radical_inverse(n) for n in (1, 2, 3, 4)] == [0.5, 0.25, 0.75, 0.125]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (5.0, [0, 1, 2, 3, 4]),
        (42.0, [0, 10, 20, 30, 40]),
        (88.0, [0, 15, 30, 45, 60, 75]),
        (100.0, [0, 20, 40, 60, 80]),
    ],
)
def test_ticks_are_round_and_few(end: float, expected: list[int]) -> None:
    assert scale.list_ticks(end) == expected


def test_one_outlier_does_not_squeeze_the_others() -> None:
    assert scale.compute_axis_end([10.0] * 200 + [300.0]) < 15
    assert scale.compute_axis_end([10.0, 300.0]) >= 300
    assert scale.compute_axis_end([]) > 0


@given(st.lists(st.floats(0, 300), max_size=120))
def test_every_week_with_a_run_has_its_bar(distances: list[float]) -> None:
    monday = date(2026, 1, 5)
    weeks = [
        WeekDistance(monday + timedelta(weeks=n), km) for n, km in enumerate(distances)
    ]

    drawn = week_bars.draw(weeks)

    bars = parse_svg(drawn.svg).findall("rect")
    assert len(bars) == sum(1 for km in distances if km)
    assert drawn.top >= max(distances, default=0)
    assert all(0 <= label.position < 100 for label in drawn.months)
