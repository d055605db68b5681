"""Texts in a CSV file that a spreadsheet would take for formulas."""

import csv
import io
import re
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.safe_csv import to_cell, write_csv
from tests.support.paths import ROOT

SIGNS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
BLANKS = (
    "".join(sign for sign in map(chr, range(sys.maxunicode)) if sign.isspace())
    + "\u200b\ufeff\x00"
)


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


@pytest.mark.parametrize(
    "text",
    [
        "\n=1+1",
        "  =1+1",
        "\u00a0=1+1",
        "\u2003\ufeff\u200b@SUM(1)",
        "\x00=1",
        "\uff1d1+1",
        "\uff0b1+1",
        "\uff0d1+1",
        "\uff20SUM(1)",
        "\ufe661+1",
        "-2+3",
        "+1;2",
        "harmless; =1+1",
    ],
)
def test_a_formula_is_found_behind_blanks_and_in_wide_signs(text: str) -> None:
    assert "'" in str(to_cell(text))


@pytest.mark.parametrize("value", [-2, -0.25, Decimal("-0.00001"), "Watch", "", " a-b"])
def test_numbers_and_other_texts_stay_as_they_are(value: object) -> None:
    assert to_cell(value) == value


@given(
    st.text(
        st.one_of(
            st.sampled_from("=+-@;,'\"\t\r\n \u00a0\u200b\uff1d\uff0b\uff0d\uff20a1"),
            st.characters(codec="utf-8"),
        )
    )
)
def test_no_cell_is_calculated_whatever_its_text(text: str) -> None:
    written = write_csv(("device",), [(text,)])

    [_, [cell]] = csv.reader(io.StringIO(written, newline=""))
    assert cell.replace("'", "") == text.replace("'", "")
    for piece in cell.split(";"):
        bare = piece.lstrip(BLANKS)
        assert not piece.startswith(("\t", "\r", "\n"))
        assert not bare.startswith(SIGNS)


def test_every_csv_file_is_written_here() -> None:
    sources = [
        path.relative_to(ROOT).as_posix()
        for folder in ("sync", "web", "workers", "host")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bcsv\.(writer|DictWriter)|\.to_csv\(", path.read_text())
    ]

    assert sources == ["sync/safe_csv.py"]
