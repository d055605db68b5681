"""The logs of the parts: pipes that are copied into files of limited size.

Parts write to a pipe. The supervisor copies its content into the part's file and
rotates the file when it is full, while the part runs. A part cannot do that itself:
third-party servers and a failing interpreter write to its standard error, too.
"""

import os
from contextlib import suppress
from pathlib import Path

MAX_FILE_BYTES = 10_000_000
MAX_FILES = 5
_NOWHERE = Path(os.devnull)
# No more is read at once, so that a test for a line in the output sees each one.
CHUNK_BYTES = 16_384


def rotate_files(path: Path) -> None:
    """Rename `path` to `.1`, `.1` to `.2` and so on; drop the oldest file."""
    for number in range(MAX_FILES - 1, 0, -1):
        newer = path.with_suffix(f".log.{number - 1}") if number > 1 else path
        if os.path.lexists(newer):
            newer.replace(path.with_suffix(f".log.{number}"))


class RotatingFile:
    """Appends to `path`, up to `limit` bytes a file; rotates between two lines.

    A line longer than a chunk may be cut.
    """

    def __init__(self, path: Path, limit: int = MAX_FILE_BYTES) -> None:
        self._path = path
        self._limit = limit
        self._open()

    def _open(self) -> None:
        try:
            self._file = self._path.open("ab", buffering=0)
        except OSError:  # it costs the part its lines, and not its life
            self._file = _NOWHERE.open("ab", buffering=0)
        self._size = self._file.tell()

    def write(self, data: bytes) -> None:
        # One more chunk is reserved for the rest of the line that is not complete.
        if self._size + len(data) > self._limit - CHUNK_BYTES:
            end = data.find(b"\n") + 1
            self._append(data[:end])
            data = data[end:]
            previous_file = self._file
            rotate_files(self._path)
            self._open()
            previous_file.close()
        self._append(data)

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self._size += len(data)

    def close(self) -> None:
        self._file.close()


class PipeLog:
    """A part's pipe: the part writes to `write_fd`, the supervisor copies to a file."""

    def __init__(self, log: Path, limit: int = MAX_FILE_BYTES) -> None:
        self._file = RotatingFile(log, limit)
        self._read_fd, self.write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        self._tail = b""
        self.is_open = True

    def fileno(self) -> int:
        return self._read_fd

    def tail_text(self) -> str:
        """Return the last output, up to two chunks."""
        return self._tail.decode(errors="replace")

    def read_chunk(self) -> bool:
        """Copy one chunk to the file; return False if there is none."""
        try:
            chunk = os.read(self._read_fd, CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self.close()
            return False
        # A full disk costs the part its lines, and not its life.
        with suppress(OSError):
            self._file.write(chunk)
        self._tail = (self._tail + chunk)[-2 * CHUNK_BYTES :]
        return True

    def finish(self) -> None:
        """Copy the rest of the output of a part that has ended."""
        while self.is_open and self.read_chunk():
            pass
        self.close()

    def close(self) -> None:
        """Close pipe and file; a fork does so at once: the pipes are its siblings'."""
        if self.is_open:
            self.is_open = False
            os.close(self._read_fd)
            self._file.close()
