"""Behind each number stand just the runs that it counts, and the list can show."""

from typing import Any

from sync.analytics.figures import Figures, figures_for
from tests.sync.analytics.runner_data import Book

RACE, LATE, UNANSWERED, LEFT, OTHERS = 5, 6, 7, 8, 9


def lived(book: Book, many: int = 12) -> Figures:
    """Write runs, one of each kind, and two check-ins, and look at them."""
    kinds: dict[int, dict[str, Any]] = {
        RACE: {"race": True},
        LATE: {"answered_h": 9},
        LEFT: {"hidden_at": book.clock()},
        OTHERS: {"with_others": True},
    }
    for number in range(1, many + 1):
        mood = None if number == UNANSWERED else number % 3
        book.run(number, 5.0 + number, mood, **kinds.get(number, {}))
    for day in (40, 41):
        book.check_in(day, 1)
    return figures_for(book.runtime, book.runner_id)


def behind(found: Figures, name: str, part: str) -> set[int]:
    panels = {panel.name: panel for panel in (*found.headline, *found.exploring)}
    return {
        run_id
        for key, run_ids in panels[name].behind.items()
        if key == part
        for run_id in run_ids.tolist()
    }


def test_what_is_answered_in_time_stands_behind_a_comparison(book: Book) -> None:
    found = lived(book)

    on_time = set(range(1, 13)) - {LATE, UNANSWERED, LEFT}
    assert behind(found, "company", "first") == {OTHERS}
    assert behind(found, "company", "second") == on_time - {OTHERS}
    assert behind(found, "race", "first") == {RACE}
    assert behind(found, "after_runs", "first") == on_time


def test_races_stand_behind_everything_but_mileage(book: Book) -> None:
    found = lived(book)

    on_time = set(range(1, 13)) - {LATE, UNANSWERED, LEFT}
    assert behind(found, "mileage", "all") == on_time - {RACE}
    assert behind(found, "run_length", "all") == on_time
    assert behind(found, "hours_since", "all") == on_time | {LATE}


def test_no_run_stands_behind_check_ins_and_weeks(book: Book) -> None:
    found = lived(book)

    assert behind(found, "after_runs", "second") == set()
    assert not any(
        behind(found, name, "all") for name in ("load", "month", "consistency")
    )


def test_a_sentence_keeps_the_runs_that_it_was_decided_by(book: Book) -> None:
    book.linked_runs(33)

    found = figures_for(book.runtime, book.runner_id)

    assert behind(found, "mileage", "said") == set(range(1, 31))
    assert behind(found, "mileage", "all") == set(range(1, 34))
