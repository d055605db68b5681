"""CSV files whose texts no spreadsheet takes for formulas."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date

# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")


def write_csv(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return the text of a CSV file with a header line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
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
        case str() if value.startswith(_FORMULA_PREFIXES):
            return f"'{value}"
        case _:
            return value
