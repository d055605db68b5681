"""Insert many rows at once, and split lists for queries."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import insert as plain_insert
from sqlalchemy.orm import Session

from sync.database import dialect_insert
from sync.models import Model

_BATCH_SIZE = 400


def insert_rows(
    session: Session, table: type[Model], rows: list[dict[str, Any]]
) -> None:
    if rows:
        session.execute(plain_insert(table), rows)


def insert_missing(
    session: Session, table: type[Model], rows: list[dict[str, Any]]
) -> None:
    if rows:
        session.execute(dialect_insert(session, table).on_conflict_do_nothing(), rows)


def split_batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _BATCH_SIZE):
        yield items[start : start + _BATCH_SIZE]
