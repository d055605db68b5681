"""Opening a ZIP from somewhere else: nothing in it is believed, nothing extracted."""

import json
import zlib
from collections.abc import Mapping
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from sync.errors import MoodmilesError

MOST_PACKED = 64 * 1024 * 1024
MOST_UNPACKED = 256 * 1024 * 1024
MOST_FILES = 200
LONGEST_NAME = 200
_ENCRYPTED = 0x1


class NotAnExport(MoodmilesError):
    """The file is not what `moodmiles runner export` writes; the text says why."""


def read(path: Path, wanted: Mapping[str, bool]) -> dict[str, bytes]:
    """Return the JSON files that are `wanted` (True: needed), or `NotAnExport`."""
    try:
        if path.stat().st_size > MOST_PACKED:
            raise NotAnExport(f"{path.name} is larger than an export can be.")
        with path.open("rb") as file:
            return _read(file, wanted)
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise NotAnExport(f"{path.name} cannot be read: {reason}.") from None
    except (BadZipFile, LargeZipFile, zlib.error, EOFError, NotImplementedError):
        raise NotAnExport(f"{path.name} is not a ZIP file, or is damaged.") from None


def _read(file: IO[bytes], wanted: Mapping[str, bool]) -> dict[str, bytes]:
    with ZipFile(file) as archive:
        infos = archive.infolist()
        _refuse_odd(infos)
        held = {info.filename for info in infos}
        missing = [name for name, needed in wanted.items() if needed > (name in held)]
        if missing:
            raise NotAnExport(f"The file holds no {missing[0]}: it is no export.")
        # It unpacks no more of a file than was said before, which is not too much.
        found = {name: archive.read(name) for name in wanted if name in held}
    for name, text in found.items():
        _refuse_odd_json(name, text)
    return found


def _refuse_odd(infos: list[ZipInfo]) -> None:
    """Refuse what no export of ours looks like, before anything is unpacked."""
    if len(infos) > MOST_FILES:
        raise NotAnExport("The file holds more files than an export does.")
    names = [info.filename for info in infos]
    if len(set(names)) < len(names):
        raise NotAnExport("The file holds two files of the same name.")
    for info in infos:
        path = PurePosixPath(info.filename)
        is_odd = path.is_absolute() or ".." in path.parts or "\\" in info.filename
        if is_odd or ":" in info.filename or len(info.filename) > LONGEST_NAME:
            raise NotAnExport("The file holds a name that leads out of it.")
        if info.flag_bits & _ENCRYPTED:
            raise NotAnExport("The file is encrypted: please give it as it was made.")
    if sum(info.file_size for info in infos) > MOST_UNPACKED:
        raise NotAnExport("The file unpacks to more than an export can be.")


def _refuse_odd_json(name: str, text: bytes) -> None:
    def refuse(_constant: str) -> NoReturn:
        raise NotAnExport(f"{name} holds a number that is none.")

    def finite(digits: str) -> float:
        return value if isfinite(value := float(digits)) else refuse(digits)

    try:
        json.loads(text, parse_constant=refuse, parse_float=finite)
    except (ValueError, RecursionError):
        raise NotAnExport(f"{name} is not JSON as an export has it.") from None
