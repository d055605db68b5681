"""Read a foreign ZIP file: every entry is checked, and none goes to the disk."""

import json
import zlib
from collections.abc import Mapping
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from sync.errors import MoodmilesError

MAX_PACKED_BYTES = 64 * 1024 * 1024
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_FILES = 200
MAX_NAME_LENGTH = 200
_ENCRYPTED = 0x1


class InvalidExport(MoodmilesError):
    """The file is not what `moodmiles runner export` writes; the text says why."""


def read_files(path: Path, required_by_name: Mapping[str, bool]) -> dict[str, bytes]:
    """Return the named JSON files; True means required.  Raises `InvalidExport`."""
    try:
        if path.stat().st_size > MAX_PACKED_BYTES:
            raise InvalidExport(f"{path.name} is larger than an export can be.")
        with path.open("rb") as file:
            return read_archive(file, required_by_name)
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise InvalidExport(f"{path.name} cannot be read: {reason}.") from None
    except (BadZipFile, LargeZipFile, zlib.error, EOFError, NotImplementedError):
        raise InvalidExport(f"{path.name} is not a ZIP file, or is damaged.") from None


def read_archive(
    file: IO[bytes], required_by_name: Mapping[str, bool]
) -> dict[str, bytes]:
    """Unpack the named JSON files after checking all entries of the archive."""
    with ZipFile(file) as archive:
        infos = archive.infolist()
        check_entries(infos)
        present_names = {info.filename for info in infos}
        missing = [
            name
            for name, is_required in required_by_name.items()
            if is_required > (name in present_names)
        ]
        if missing:
            raise InvalidExport(f"The file holds no {missing[0]}: it is no export.")
        # zipfile unpacks no more of a file than its entry says, which was checked.
        files = {
            name: archive.read(name)
            for name in required_by_name
            if name in present_names
        }
    for name, text in files.items():
        check_json(name, text)
    return files


def check_entries(infos: list[ZipInfo]) -> None:
    """Raise `InvalidExport` for entries that no export has, before unpacking."""
    if len(infos) > MAX_FILES:
        raise InvalidExport("The file holds more files than an export does.")
    names = [info.filename for info in infos]
    if len(set(names)) < len(names):
        raise InvalidExport("The file holds two files of the same name.")
    for info in infos:
        path = PurePosixPath(info.filename)
        is_unsafe = path.is_absolute() or ".." in path.parts or "\\" in info.filename
        if is_unsafe or ":" in info.filename or len(info.filename) > MAX_NAME_LENGTH:
            raise InvalidExport("The file holds a name that leads out of it.")
        if info.flag_bits & _ENCRYPTED:
            raise InvalidExport("The file is encrypted: please give it as it was made.")
    if sum(info.file_size for info in infos) > MAX_UNPACKED_BYTES:
        raise InvalidExport("The file unpacks to more than an export can be.")


def check_json(name: str, text: bytes) -> None:
    """Raise `InvalidExport` for a text that is not JSON with finite numbers."""

    def reject_constant(_constant: str) -> NoReturn:
        raise InvalidExport(f"{name} holds a number that is none.")

    def parse_finite(digits: str) -> float:
        return value if isfinite(value := float(digits)) else reject_constant(digits)

    try:
        json.loads(text, parse_constant=reject_constant, parse_float=parse_finite)
    except (ValueError, RecursionError):
        raise InvalidExport(f"{name} is not JSON as an export has it.") from None
