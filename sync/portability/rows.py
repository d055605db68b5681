"""Cut the JSON of a table into rows, before anything is made of any of them.

A parser makes an object of 64 bytes out of three: of `{},`.  So rows are found,
counted and measured as bytes, and parsed one at a time.
"""

import re
from collections.abc import Iterator

from sync.portability.archive import InvalidExport

MAX_ROWS = 100_000
MAX_ROW_BYTES = 64 * 1024
# The columns of a row, and what its lists and maps hold.
MAX_ROW_VALUES = 200
MAX_ROW_CONTAINERS = 16
MAX_DEPTH = 8


def _build_row_pattern() -> re.Pattern[bytes]:
    """Return the pattern of a map with nothing deeper inside than `MAX_DEPTH`.

    Nothing in it is tried twice (`++`, `*+`), so that it takes as long as a row has
    bytes, whatever these are.
    """
    text = rb'"(?:[^"\\]++|\\.)*+"'
    inside = rb'(?:[^"\[\]{}]++|%b)*+' % text
    for _ in range(MAX_DEPTH):
        deeper = rb"\{%b\}|\[%b\]" % (inside, inside)
        inside = rb'(?:[^"\[\]{}]++|%b|%b)*+' % (text, deeper)
    return re.compile(rb"\{%b\}" % inside, re.DOTALL)


_ROW = _build_row_pattern()
_START = re.compile(rb"[ \t\n\r]*+\[[ \t\n\r]*+")
_SEPARATOR = re.compile(rb"[ \t\n\r]*+,[ \t\n\r]*+")
_END = re.compile(rb"[ \t\n\r]*+\][ \t\n\r]*+\Z")


def split_rows(name: str, text: bytes) -> Iterator[bytes]:
    """Yield the JSON of each row of a list; raise `InvalidExport` for another file.

    A row is a map as to its brackets and strings; the rest is its parser's to say.
    """
    start = _START.match(text)
    if start is None:
        raise InvalidExport(f"{name}: it is not a list of rows.")
    position = start.end()
    if _END.match(text, position):
        return
    for row_number in range(1, MAX_ROWS + 1):
        row = _ROW.match(text, position, position + MAX_ROW_BYTES)
        if row is None:
            raise InvalidExport(
                f"{name}, row {row_number}: it is not a row as an export has it."
            )
        row_text = row.group()
        n_containers = row_text.count(b"[") + row_text.count(b"{")
        if row_text.count(b",") > MAX_ROW_VALUES or n_containers > MAX_ROW_CONTAINERS:
            raise InvalidExport(f"{name}, row {row_number}: it holds too many values.")
        yield row_text
        if _END.match(text, row.end()):
            return
        separator = _SEPARATOR.match(text, row.end())
        if separator is None:
            raise InvalidExport(f"{name}, row {row_number}: another must follow it.")
        position = separator.end()
    raise InvalidExport(f"{name}: there are more than {MAX_ROWS:,} rows.")
