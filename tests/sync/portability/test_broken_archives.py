"""A broken or made-up ZIP costs one sentence, and never much memory."""

import io
import json
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

import pytest

from sync.portability.archive import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_RATIO,
    InvalidExport,
)
from sync.portability.rows import (
    MAX_DEPTH,
    MAX_ROW_BYTES,
    MAX_ROW_VALUES,
    MAX_ROWS,
    split_rows,
)
from sync.portability.validate import read_bundle
from sync.surveys.instruments import load_library
from tests.lab.bench.import_memory import (
    ACCOUNT,
    MIB,
    TABLES,
    build_run,
    measure_reading,
    write_archive,
)

MAX_PEAK_MIB = 300


def build_archive(**tables: bytes) -> bytes:
    """Return an export with one run, and with these tables instead of its own."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, text in build_files(**tables).items():
            archive.writestr(name, text)
    return buffer.getvalue()


def build_files(**tables: bytes) -> dict[str, bytes]:
    contents = {"runs": json.dumps([build_run(1)]).encode(), **tables}
    return {
        "account.json": json.dumps(ACCOUNT).encode(),
        **{f"{name}.json": contents.get(name, b"[]") for name in TABLES},
    }


def pack(packing: int = ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", packing) as archive:
        for name, text in build_files().items():
            archive.writestr(name, text)
    return buffer.getvalue()


def add_entry(info: ZipInfo | str, content: bytes = b"") -> bytes:
    buffer = io.BytesIO(build_archive())
    with ZipFile(buffer, "a", ZIP_DEFLATED) as archive:
        archive.writestr(info, content)
    return buffer.getvalue()


def add_link() -> bytes:
    info = ZipInfo("settings.json")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return add_entry(info, b"/etc/passwd")


def change_directory(offset: int, layout: str, value: int) -> bytes:
    """Return an export in whose list of files the first entry says something else."""
    packed = bytearray(build_archive())
    struct.pack_into(layout, packed, packed.index(b"PK\x01\x02") + offset, value)
    return bytes(packed)


def change_end(offset: int, layout: str, value: int) -> bytes:
    packed = bytearray(build_archive())
    struct.pack_into(layout, packed, packed.rindex(b"PK\x05\x06") + offset, value)
    return bytes(packed)


def flip_content() -> bytes:
    packed = bytearray(pack())
    packed[packed.index(b'"format"') + 2] ^= 1
    return bytes(packed)


def add_zip64() -> bytes:
    packed = build_archive()
    end = packed.rindex(b"PK\x05\x06")
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    return packed[:end] + locator + packed[end:]


def list_many_entries() -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for number in range(MAX_FILES * 20):
            archive.writestr(f"{number}.csv", b"")
    return buffer.getvalue()


def nest_everything() -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, text in build_files().items():
            archive.writestr(f"export/{name}", text)
    return buffer.getvalue()


def exceed_ratio_and_lie() -> bytes:
    """Return the same, whose list says that it is packed in as many bytes."""
    packed = bytearray(exceed_ratio())
    entry = packed.index(b"draws.json", packed.index(b"PK\x01\x02")) - 46
    struct.pack_into("<L", packed, entry + 20, 8 * MIB)
    return bytes(packed)


def exceed_ratio() -> bytes:
    """Return an export that unpacks to more than it may, of well-formed JSON."""
    return build_archive(draws=b"[" + b" " * (8 * MIB) + b"]")


BROKEN: dict[str, Callable[[], bytes]] = {
    "nothing": bytes,
    "two letters": lambda: b"PK",
    "an end alone": lambda: b"PK\x05\x06" + bytes(18),
    "half of it": lambda: build_archive()[:400],
    "the second half": lambda: build_archive()[400:],
    "without its last byte": lambda: build_archive()[:-1],
    "other content": flip_content,
    "packed by LZMA": lambda: pack(ZIP_LZMA),
    "packed by bzip2": lambda: pack(ZIP_BZIP2),
    "packed by nothing known": lambda: change_directory(10, "<H", 99),
    "encrypted": lambda: change_directory(8, "<H", 1),
    "encrypted otherwise": lambda: change_directory(8, "<H", 0x41),
    "of a later version": lambda: change_directory(6, "<H", 99),
    "a content elsewhere": lambda: change_directory(42, "<L", 2**31),
    "a content too long": lambda: change_directory(20, "<L", 2**31),
    "a size too long": lambda: change_directory(24, "<L", MAX_FILE_BYTES + 1),
    "a size too short": lambda: change_directory(24, "<L", 3),
    "a list elsewhere": lambda: change_end(16, "<L", 2**31),
    "a list too long": lambda: change_end(12, "<L", 2**31),
    "a list too short": lambda: change_end(12, "<L", 10),
    "a longer format": add_zip64,
    "many files": list_many_entries,
    "a folder around it": nest_everything,
    "a link": add_link,
    "a way out": lambda: add_entry("../runs.json"),
    "a way out of Windows": lambda: add_entry("..\\runs.json"),
    "a disk of Windows": lambda: add_entry("C:runs.json"),
    "more than it seems": exceed_ratio,
    "more than it says": exceed_ratio_and_lie,
}
BROKEN_ROWS: dict[str, bytes] = {
    "empty": b"",
    "no list": b'{"id": 1}',
    "a list without end": b"[{}",
    "two lists": b"[][]",
    "rows without comma": b"[{} {}]",
    "a comma too many": b"[{},]",
    "numbers": b"[1, 2]",
    "lists": b"[[], []]",
    "a map without end": b'[{"id": 1]',
    "a text without end": b'[{"id": "]',
    "quotes that never end": b'[{"' + rb"\"" * MIB,
    "brackets that cross": b'[{"a": [}]',
    "deeper than any row": b'[{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}]",
    "200,000 deep": b"[" * 200_000 + b"]" * 200_000,
    "maps 200,000 deep": b'[{"a":' * 200_000 + b"1" + b"}]" * 200_000,
    "a number of 5 MB": b'[{"id": ' + b"9" * (5 * MIB) + b"}]",
    "a text of 5 MB": b'[{"id": "' + b"x" * (5 * MIB) + b'"}]',
    "a name of 5 MB": b'[{"' + b"x" * (5 * MIB) + b'": 1}]',
    "a row just too long": b'[{"id": "' + b"x" * MAX_ROW_BYTES + b'"}]',
    "many names": b"[{"
    + b",".join(b'"%d":1' % number for number in range(MAX_ROW_VALUES + 2))
    + b"}]",
    "many empty maps": b'[{"a": [' + b",".join([b"{}"] * 100) + b"]}]",
    "too many rows": b"[" + b"{}," * MAX_ROWS + b"{}]",
    "half a letter": b'[{"id": "\xff"}]',
    "UTF-16": "[{}]".encode("utf-16"),
    "no JSON": b"[{id: 1}]",
    "no number": b'[{"id": NaN}]',
}


def read_refusal(folder: Path, packed: bytes) -> str:
    """Return the sentence with which a file is refused; "" for none."""
    path = folder / "file.zip"
    path.write_bytes(packed)
    try:
        read_bundle(path, load_library(folder))
    except InvalidExport as refusal:
        return str(refusal)
    return ""


def is_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text and 20 < len(text) < 200


def test_what_is_whole_is_read(tmp_path: Path) -> None:
    for packed in (build_archive(), pack(), pack(ZIP_DEFLATED)):
        assert read_refusal(tmp_path, packed) == ""


@pytest.mark.parametrize("build", BROKEN.values(), ids=BROKEN)
def test_a_broken_archive_costs_a_sentence(
    tmp_path: Path, build: Callable[[], bytes]
) -> None:
    assert is_sentence(read_refusal(tmp_path, build()))


@pytest.mark.parametrize("text", BROKEN_ROWS.values(), ids=BROKEN_ROWS)
def test_broken_rows_cost_a_sentence(tmp_path: Path, text: bytes) -> None:
    assert is_sentence(read_refusal(tmp_path, build_archive(runs=text)))


@pytest.mark.parametrize("name", ["account", *TABLES])
def test_no_byte_that_changed_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    """Change one byte after the other; each file is read whole, or refused."""
    random, whole = Random(name), build_archive()  # noqa: S311 - for play
    start = whole.index(f"{name}.json".encode())
    for _ in range(150):
        packed = bytearray(whole)
        packed[random.randrange(start, len(packed))] = random.randrange(256)
        refusal = read_refusal(tmp_path, bytes(packed))
        assert refusal == "" or is_sentence(refusal)


def test_rows_are_cut_where_they_end() -> None:
    rows = [b'{"a": "]},{"}', b"{}", b'{"b": ["\\"{", {"c": [1, 2]}]}']

    assert list(split_rows("x.json", b" [\n" + b" ,\n".join(rows) + b" ]\n")) == rows
    assert list(split_rows("x.json", b"[ ]")) == []


@pytest.mark.processes
def test_no_bomb_takes_much_memory(tmp_path: Path) -> None:
    bomb = b"[" + b"{}," * (64 * MIB // 3) + b"{}]"
    padded = b"[" + b"{}," * (30 * MIB // 3) + b"{}]"
    zeros = b'[{"a": [' + b"0," * (15 * MIB) + b"0]}]"
    noise = Random(0).randbytes(30 * MIB // MAX_RATIO)  # noqa: S311 - not a secret
    write_archive(tmp_path / "bomb.zip", packing=ZIP_DEFLATED, runs=bomb)
    for name, rows in (("padded", padded), ("zeros", zeros)):
        write_archive(tmp_path / f"{name}.zip", packing=ZIP_STORED, runs=rows)
        with ZipFile(tmp_path / f"{name}.zip", "a") as archive:
            archive.writestr("noise.bin", noise)
    peaks = {}

    for name in ("bomb", "padded", "zeros"):
        peaks[name], _, sentence = measure_reading(tmp_path / f"{name}.zip")
        print(f"{name}: {peaks[name]} MiB")  # noqa: T201 - shown where it fails
        assert is_sentence(sentence)

    assert max(peaks.values()) < MAX_PEAK_MIB
