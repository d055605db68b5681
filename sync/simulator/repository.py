"""Records kept in memory for reading and written through to a file that survives."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, TypeVar

from sync.simulator.records import stored_kind

Key = TypeVar("Key", bound=int | str)
Record = TypeVar("Record")


class RecordFile:
    """One SQLite row for each record; without a path, nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._connection: sqlite3.Connection | None = None
        if path is not None:
            self._connection = sqlite3.connect(path, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS records"
                " (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key))"
            )

    def write(self, kind: str, key: str, body: dict[str, Any]) -> None:
        if self._connection is not None:
            self._connection.execute(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
                (kind, key, json.dumps(body)),
            )

    def delete(self, kind: str, key: str) -> None:
        if self._connection is not None:
            self._connection.execute(
                "DELETE FROM records WHERE kind = ? AND key = ?", (kind, key)
            )

    def read(self, kind: str) -> Iterator[dict[str, Any]]:
        if self._connection is not None:
            query = "SELECT body FROM records WHERE kind = ? ORDER BY rowid"
            for (body,) in self._connection.execute(query, (kind,)):
                yield json.loads(body)

    def commit(self) -> None:
        if self._connection is not None:
            self._connection.commit()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class RecordRepository(Generic[Key, Record]):
    """All records of one kind, by key, in the order in which they came."""

    def __init__(
        self, record_file: RecordFile, kind: type[Record], key: Callable[[Record], Key]
    ) -> None:
        self._record_file = record_file
        self._kind = stored_kind(kind)
        self._key = key
        self._records: dict[Key, Record] = {
            key(record): record
            for record in (kind(**body) for body in record_file.read(self._kind))
        }

    def put(self, record: Record) -> None:
        key = self._key(record)
        self._records[key] = record
        self._record_file.write(self._kind, str(key), asdict(record))  # type: ignore[call-overload]

    def remove(self, key: Key) -> None:
        if self._records.pop(key, None) is not None:
            self._record_file.delete(self._kind, str(key))

    def get(self, key: Key) -> Record | None:
        return self._records.get(key)

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, key: Key) -> bool:
        return key in self._records
