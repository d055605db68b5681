"""The other charts, compared stroke by stroke with drawings that were looked at."""

import os
from collections.abc import Callable
from datetime import date, timedelta
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.charts.test_charts import parse_svg, read_columns
from web.charts import (
    intervals,
    mood_bars,
    mood_rows,
    week_bars,
    week_moods,
    wellbeing_line,
    year_grid,
)
from web.charts.intervals import IntervalRow
from web.charts.mood_rows import BestRange, MoodCurve
from web.charts.week_bars import WeekDistance
from web.charts.wellbeing_line import DayValue
from web.charts.year_grid import DayCell

GOLDEN = Path(__file__).parent / "golden"
MONDAY = date(2026, 1, 5)
SUNDAY = date(2026, 5, 3)
EVERY_DAY = [MONDAY + timedelta(days=n) for n in range(113)]


def _own_line(distances: list[float]) -> str:
    points = [
        DayValue(MONDAY + timedelta(days=28 * n), n * 28 % 100) for n in range(1, 5)
    ]
    svg = wellbeing_line.draw(EVERY_DAY, points, distances)
    return "\n".join(part for part in (svg.svg, svg.below) if part)


DRAWINGS: dict[str, Callable[[], str]] = {
    "mood_rows": lambda: (
        mood_rows.draw(
            read_columns(
                [(4 + number * 3 % 40, 1 + number % 5) for number in range(40)]
                + [(12, 3)]
            )._replace(hollow=[False] * 40 + [True]),
            line=MoodCurve([5, 20, 40], [2, 4, 3], low=[1, 3, 2], high=[3, 5, 4]),
            best=BestRange(15, 25),
        ).svg
    ),
    "week_bars": lambda: (
        week_bars.draw(
            [WeekDistance(MONDAY + timedelta(weeks=n), n * 7 % 41) for n in range(20)]
        ).svg
    ),
    "week_moods": lambda: (
        week_moods.draw([[3, 4], [], [5], [2, 2, 3], *([[]] * 13), [1], [2]]).svg
    ),
    "own_line": lambda: _own_line([float(n * 7 % 53) for n in range(113)]),
    "own_line_alone": lambda: _own_line([]),
    "felt_bars": lambda: "\n".join(
        mood_bars.draw([[1, 2, 3, 4, 5], [0, 0, 0, 0, 9], [0] * 5]).rows
    ),
    "intervals": lambda: "\n".join(
        intervals.draw(
            [
                IntervalRow(0.4, 0.1, 0.7, 0.05, 0.8, is_clear=True),
                IntervalRow(-0.2, -inf, inf, -inf, inf, is_clear=False),
            ],
            max_half_width=2,
        ).rows
    ),
    "year_grid": lambda: (
        year_grid.draw(
            [
                DayCell(
                    SUNDAY - timedelta(days=3 * n), 1000.0 * (1 + n % 9), n % 6 or None
                )
                for n in range(60)
            ],
            last_day=SUNDAY,
        ).svg
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_chart_is_drawn_as_agreed(name: str) -> None:
    drawn, golden = f"{DRAWINGS[name]()}\n", GOLDEN / f"{name}.svg"

    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(drawn)

    parse_svg(drawn)
    assert drawn == golden.read_text()


@given(st.lists(st.lists(st.integers(0, 400), min_size=5, max_size=5), max_size=7))
def test_every_answer_widens_a_bar_inside_the_drawing(rows: list[list[int]]) -> None:
    drawn = mood_bars.draw(rows)

    for svg, counts in zip(drawn.rows, rows, strict=True):
        bars = parse_svg(svg).findall("rect")
        assert len(bars) == sum(1 for count in counts if count)
        for bar in bars:
            left, width = float(bar.attrib["x"]), float(bar.attrib["width"])
            assert -0.2 <= left <= left + width <= 1000.2


@given(st.lists(st.lists(st.integers(1, 5), max_size=4), max_size=60))
def test_smoothed_mood_stays_on_the_scale(weeks: list[list[int]]) -> None:
    drawn = week_moods.draw(weeks)

    assert len(drawn.smoothed) == len(weeks)
    assert all(1 <= mood <= 5 for mood in drawn.smoothed if mood is not None)


def test_the_line_breaks_where_nobody_answered_for_long() -> None:
    drawn = week_moods.draw([[4], [4], *([[]] * 30), [2], [2]])

    assert drawn.svg.count('class="trend"') == 2


def test_a_year_is_a_small_document() -> None:
    days = [
        DayCell(SUNDAY - timedelta(days=n), 1000.0 * (n % 17), n % 6 or None)
        for n in range(500)
    ]

    drawn = year_grid.draw(days, last_day=SUNDAY)

    assert drawn.svg.count("<path") <= 2 * 4 * 6
    assert drawn.svg.count("h0") <= 2 * 371
    assert 11 <= len(drawn.months) <= 13


def test_an_interval_without_an_end_reaches_the_edge() -> None:
    drawn = intervals.draw(
        [IntervalRow(0, -inf, inf, -inf, inf, is_clear=False)], max_half_width=2
    )

    assert drawn.half_width == 0.5
    assert "M20 50H980" in drawn.rows[0]


def test_a_year_may_have_sunday_on_top() -> None:
    day = [DayCell(SUNDAY, 1000.0, 3)]

    monday_first = year_grid.draw(day, last_day=SUNDAY)
    sunday_first = year_grid.draw(day, last_day=SUNDAY, first_weekday=6)

    assert f'd="M{52 * 20 + 10} {6 * 20 + 10}h0"' in monday_first.svg
    assert f'd="M{52 * 20 + 10} 10h0"' in sunday_first.svg
    assert (sunday_first.first_day - monday_first.first_day).days == 6


@given(
    st.lists(st.integers(0, 100), min_size=1, max_size=26),
    st.lists(st.floats(0, 900), min_size=28 * 26, max_size=28 * 26),
)
def test_no_height_between_the_ends_of_the_own_line_is_marked(
    values: list[int], distances: list[float]
) -> None:
    days = [MONDAY + timedelta(days=n) for n in range(28 * 26)]
    points = [DayValue(days[28 * n], value) for n, value in enumerate(values)]

    drawn = wellbeing_line.draw(days, points, distances)

    [marked, line, dots] = parse_svg(drawn.svg).findall("path")
    assert marked.attrib["d"] == "M0 0H1000M0 250H1000"
    assert {one.attrib["class"] for one in (line, dots)} == {"trend", "point"}
    assert dots.attrib["d"].count("h0") == len(values)
    assert drawn.top >= max(distances)
    assert all(0 <= label.position < 100 for label in drawn.months)
