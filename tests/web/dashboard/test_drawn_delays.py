"""The dashboard's rows of drawn hours: answers and questions, and what is compared."""

from sync.analytics.panels.panel import DelayGroup
from sync.analytics.stats.random_delay import DelayContrast
from web.charts.intervals import IntervalRow
from web.dashboard.delay_rows import build_delay_rows


def build_contrast(difference: float) -> DelayContrast:
    ends = (difference - 0.5, difference + 0.25)
    return DelayContrast(12, 10, 0.9 + difference, difference, ends)


def test_each_delay_is_set_against_the_first_that_has_enough_answers() -> None:
    rows = build_delay_rows(
        [
            DelayGroup(0, asked_count=3, answered_count=2, contrast=None),
            DelayGroup(1, 12, 10, DelayContrast(10, 10, 0.9, 0.0, (0.0, 0.0))),
            DelayGroup(6, 20, 12, build_contrast(-0.5)),
        ]
    )

    assert [row.title for row in rows] == [
        "Straight away",
        "1 hour later",
        "6 hours later",
    ]
    assert [row.sentence for row in rows] == [
        "2 of 3 answered",
        "10 of 12 answered, mean mood +0.9, what the others are set against",
        "12 of 20 answered, mean mood +0.4",
    ]
    assert [row.svg is None for row in rows] == [True, True, False]
    assert (rows[2].interval, rows[1].interval) == (
        IntervalRow(-0.5, -1.0, -0.25, -1.0, -0.25, is_clear=False),
        None,
    )
