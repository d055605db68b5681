"""CSV files whose texts no spreadsheet takes for formulas."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date
from unicodedata import category, normalize

# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_SIGNS = ("=", "+", "-", "@")
_FORMULA_BREAKS = ("\t", "\r", "\n")


def write_csv(
    columns: Sequence[str],
    rows: Iterable[Iterable[object]],
    *,
    line_end: str = "\r\n",
) -> str:
    """Return the text of a CSV file with a header line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator=line_end)
    writer.writerow(columns)
    writer.writerows([to_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def to_cell(value: object) -> object:
    """Return what a cell holds: 1 for true, ISO times, JSON, guarded texts."""
    match value:
        case bool():
            return int(value)
        case date():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value, sort_keys=True, ensure_ascii=False)
        case str():
            return _guard_text(value)
        case _:
            return value


def _guard_text(text: str) -> str:
    """Put a quotation mark before what a spreadsheet would calculate.

    A program whose lists are separated by semicolons splits a text at its own: each
    piece is guarded.
    """
    pieces = [f"'{piece}" if is_formula(piece) else piece for piece in text.split(";")]
    return ";".join(pieces)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may calculate `text`.

    Blanks and invisible characters before a sign do not hide it, and its wide forms
    are the same sign.
    """
    if text.startswith(_FORMULA_BREAKS):
        return True
    # Z are blanks of all kinds, C control and invisible characters.
    visible = next(
        (index for index, sign in enumerate(text) if category(sign)[0] not in "ZC"),
        len(text),
    )
    first = normalize("NFKC", text[visible : visible + 1])
    return first.startswith(_FORMULA_SIGNS)
