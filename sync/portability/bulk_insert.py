"""Many rows at once into a table, and lists in slices that a query can take."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import insert as plain_insert
from sqlalchemy.orm import Session

from sync.database import insert
from sync.models import Model

_AT_ONCE = 400


def store(session: Session, table: type[Model], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(plain_insert(table), rows)


def store_missing(
    session: Session, table: type[Model], rows: list[dict[str, Any]]
) -> None:
    if rows:
        session.execute(insert(session, table).on_conflict_do_nothing(), rows)


def slices(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(items), _AT_ONCE):
        yield items[first : first + _AT_ONCE]
