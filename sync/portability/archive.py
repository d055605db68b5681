"""Read a foreign ZIP file: every entry is checked, and none goes to the disk."""

import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sync.errors import MoodmilesError

MAX_PACKED_BYTES = 64 * 1024 * 1024
MAX_UNPACKED_BYTES = 128 * 1024 * 1024
MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_RATIO = 100
# Thousands of decisions by one policy pack 142 to 1, what is nothing but one sign
# 1,000 to 1.
MAX_FILE_RATIO = 300
MAX_FILES = 200
MAX_NAME_LENGTH = 200
# What lists the files: an entry takes 46 bytes, its name and some extras.
MAX_DIRECTORY_BYTES = MAX_FILES * (MAX_NAME_LENGTH + 200)
# Less than this hurts nobody, however small it was packed.
_MIN_BYTES_FOR_RATIO = 1024 * 1024
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_END_OF_DIRECTORY = b"PK\x05\x06"
_ZIP64_LOCATOR = b"PK\x06\x07"
_END_SIZE, _MAX_COMMENT = 22, 65_535
# Where the end of a directory says how many bytes the directory has.
_DIRECTORY_SIZE = struct.Struct("<12xL6x")
# What zipfile and zlib raise for a file that is damaged in some way.
_DAMAGE = (
    BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)


class InvalidExport(MoodmilesError):
    """The file is not what `moodmiles runner export` writes; the text says why."""


class ExportArchive:
    """The files of an archive whose entries were checked; one is read at a time."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self.names = frozenset(archive.namelist())

    def read(self, name: str) -> bytes:
        """Unpack one file; zipfile unpacks no more of it than its entry says."""
        if name not in self.names:
            raise InvalidExport(f"The file holds no {name}: it is no export.")
        return self._archive.read(name)


@contextmanager
def open_archive(path: Path) -> Iterator[ExportArchive]:
    """Open a ZIP after checking all its entries; raise `InvalidExport`, also inside."""
    try:
        n_bytes = path.stat().st_size
        if n_bytes > MAX_PACKED_BYTES:
            raise InvalidExport(f"{path.name} is larger than an export can be.")
        with path.open("rb") as file:
            check_directory_size(file)
            with ZipFile(file) as archive:
                check_entries(archive.infolist(), n_bytes)
                yield ExportArchive(archive)
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise InvalidExport(f"{path.name} cannot be read: {reason}.") from None
    except _DAMAGE:
        raise InvalidExport(f"{path.name} is not a ZIP file, or is damaged.") from None


def check_directory_size(file: IO[bytes]) -> None:
    """Raise `InvalidExport` for a longer list of files than an export has.

    zipfile makes an object of every entry as soon as it opens the file.
    """
    size = file.seek(0, 2)
    file.seek(-min(size, _END_SIZE + _MAX_COMMENT), 2)
    tail = file.read()
    end = tail.rfind(_END_OF_DIRECTORY)
    if end < 0 or len(tail) - end < _END_SIZE:
        raise BadZipFile
    (directory_bytes,) = _DIRECTORY_SIZE.unpack_from(tail, end)
    if _ZIP64_LOCATOR in tail[:end] or directory_bytes > MAX_DIRECTORY_BYTES:
        raise InvalidExport("The file holds more files than an export does.")
    file.seek(0)


def check_entries(infos: list[ZipInfo], n_bytes: int) -> None:
    """Raise `InvalidExport` for entries that no export of this size has."""
    if len(infos) > MAX_FILES:
        raise InvalidExport("The file holds more files than an export does.")
    names = [info.filename for info in infos]
    if len(set(names)) < len(names):
        raise InvalidExport("The file holds two files of the same name.")
    if any(info.compress_size > n_bytes for info in infos):
        raise BadZipFile
    for info in infos:
        check_entry(info)
    unpacked_bytes = sum(info.file_size for info in infos)
    # Entries may lie over each other.
    packed_bytes = min(n_bytes, sum(info.compress_size for info in infos))
    if unpacked_bytes > min(
        MAX_UNPACKED_BYTES, max(_MIN_BYTES_FOR_RATIO, packed_bytes * MAX_RATIO)
    ):
        raise InvalidExport("The file unpacks to more than an export can be.")


def check_entry(info: ZipInfo) -> None:
    """Raise `InvalidExport` for a name, a kind or a size that no export has."""
    path = PurePosixPath(info.filename)
    is_unsafe = path.is_absolute() or ".." in path.parts or "\\" in info.filename
    is_unsafe |= stat.S_ISLNK(info.external_attr >> 16)
    if is_unsafe or ":" in info.filename or len(info.filename) > MAX_NAME_LENGTH:
        raise InvalidExport("The file holds a name that leads out of it.")
    if info.flag_bits & _ENCRYPTED:
        raise InvalidExport("The file is encrypted: please give it as it was made.")
    if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise InvalidExport(
            "The file is packed in an unusual way: please give it as it was made."
        )
    if info.file_size > min(
        MAX_FILE_BYTES,
        max(_MIN_BYTES_FOR_RATIO, info.compress_size * MAX_FILE_RATIO),
    ):
        raise InvalidExport("The file unpacks to more than an export can be.")
