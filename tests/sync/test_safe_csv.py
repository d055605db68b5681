"""Texts in a CSV file that a spreadsheet would take for formulas."""

from datetime import UTC, date, datetime

import pytest

from sync.safe_csv import to_cell, write_csv


@pytest.mark.parametrize("prefix", list("=+-@\t\r"))
def test_no_spreadsheet_takes_a_text_of_ours_for_a_formula(prefix: str) -> None:
    text = write_csv(("device",), [(f"{prefix}1",), ("Watch",)])

    assert f"'{prefix}1" in text
    assert text.endswith("Watch\r\n")


def test_a_negative_number_stays_a_number() -> None:
    assert write_csv(("mood",), [(-2,)]) == "mood\r\n-2\r\n"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (True, 1),
        (False, 0),
        (None, None),
        (date(2026, 10, 4), "2026-10-04"),
        (datetime(2026, 10, 4, 12, tzinfo=UTC), "2026-10-04T12:00:00+00:00"),
        ({"b": "ä", "a": [1]}, '{"a": [1], "b": "ä"}'),
        ([], "[]"),
    ],
)
def test_values_are_written_as_programs_read_them(value: object, cell: object) -> None:
    assert to_cell(value) == cell
