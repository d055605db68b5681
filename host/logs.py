"""What the parts write: carried into files that do not grow beyond a limit.

Parts write to a pipe. The supervisor carries what comes into the part's file, and
starts a new file when one is full, while the part runs. A part cannot do that itself:
its standard error is also where servers that are not ours, the interpreter and its
last words go.
"""

import os
from contextlib import suppress
from pathlib import Path

MAX_FILE_BYTES = 10_000_000
MAX_FILES = 5
# No more is read at once, so that whoever waits for words looks at all of them.
CHUNK_BYTES = 16_384


def rotate_files(path: Path) -> None:
    """Set `path` aside as `.1`, what was `.1` as `.2` and so on; drop the oldest."""
    for number in range(MAX_FILES - 1, 0, -1):
        newer = path.with_suffix(f".log.{number - 1}") if number > 1 else path
        if newer.exists():
            newer.replace(path.with_suffix(f".log.{number}"))


class RotatingFile:
    """Appends to `path`; lets it grow to `limit` bytes and cuts no line.

    A line longer than a chunk may be cut.
    """

    def __init__(self, path: Path, limit: int = MAX_FILE_BYTES) -> None:
        self._path = path
        self._limit = limit
        self._open()

    def _open(self) -> None:
        self._file = self._path.open("ab", buffering=0)
        self._size = self._file.tell()

    def write(self, data: bytes) -> None:
        # The room of one more chunk is for the rest of the line that is open.
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
    """A part's pipe: the part writes to `writing`, we read into its file."""

    def __init__(self, log: Path, limit: int = MAX_FILE_BYTES) -> None:
        self._file = RotatingFile(log, limit)
        self._read_fd, self.write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        self._tail = b""
        self.is_open = True

    def fileno(self) -> int:
        return self._read_fd

    def tail_text(self) -> str:
        """Return what was read last, up to two chunks, in whatever file it is."""
        return self._tail.decode(errors="replace")

    def read_chunk(self) -> bool:
        """Carry one chunk to the file; False if there is none."""
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
        """Carry the last words of a part that has ended."""
        while self.is_open and self.read_chunk():
            pass
        self.close()

    def close(self) -> None:
        """Carry no more; a fork does so at once: the pipes are its siblings'."""
        if self.is_open:
            self.is_open = False
            os.close(self._read_fd)
            self._file.close()
