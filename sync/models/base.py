"""The declarative base that every table shares, and our types."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from sync import vocabulary
from sync.preferences import DEFAULT_PREFERENCES, Preferences

MemberT = TypeVar("MemberT", bound=StrEnum)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite, which knows no zones, keeps it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time must never reach the database")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    @override
    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


class SharedJson(TypeDecorator[dict[str, Any]]):
    """JSON that many rows hold alike: stored at once, it is written out only once.

    Else a tenth of deciding about an imported past is spent on writing the policy.
    """

    impl = JSON
    cache_ok = True

    @override
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        write = super().bind_processor(dialect)
        if write is None:
            return None
        value: Any = None
        written: Any = None

        def write_once(given: Any) -> Any:
            nonlocal value, written
            if given is None or given is not value:
                value, written = given, write(given)
            return written

        return write_once


class PreferencesJson(TypeDecorator[Preferences]):
    """A runner's preferences: JSON in the table, `Preferences` in Python."""

    impl = JSON
    cache_ok = True

    @override
    def process_bind_param(
        self, value: Preferences | None, dialect: Dialect
    ) -> dict[str, Any] | None:
        return None if value is None else value.to_stored()

    @override
    def process_result_value(
        self, value: dict[str, Any] | None, dialect: Dialect
    ) -> Preferences:
        return Preferences.from_stored(value) if value else DEFAULT_PREFERENCES

    @override
    def compare_values(self, x: Preferences, y: Preferences) -> bool:
        return x.to_stored() == y.to_stored()


class _MemberLookup(dict[Any, Any]):
    """A dictionary that says which closed set a value is missing from."""

    def __init__(self, members: type[StrEnum], values: dict[Any, Any]) -> None:
        super().__init__(values)
        self[None] = None
        self._set_name = members.__name__

    def __missing__(self, value: object) -> Any:
        raise LookupError(f"{value!r} is no {self._set_name}")


class EnumText(TypeDecorator[MemberT]):
    """A member of a closed set in a column of text, stored as its plain value.

    Another value is a LookupError, on its way in and on its way out.  Both ways are
    one look into a dictionary, since whole pasts are read and written through them.
    """

    impl = String
    cache_ok = True

    def __init__(self, members: type[MemberT]) -> None:
        super().__init__()
        self.members = members

    @override
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        return _MemberLookup(
            self.members, {member: member.value for member in self.members}
        ).__getitem__

    @override
    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], Any]:
        return _MemberLookup(
            self.members, {member.value: member for member in self.members}
        ).__getitem__


# SQLite numbers rows by itself only when the key is a plain INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")


class Model(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime()} | {
        closed_set: EnumText(closed_set)
        for closed_set in vars(vocabulary).values()
        if isinstance(closed_set, type) and issubclass(closed_set, StrEnum)
    }

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let no table that numbers its rows give the number of a deleted one again.

        PostgreSQL's identities never do; SQLite does unless a table says so.
        """
        super().__init_subclass__(**kwargs)
        table = cls.__table__
        if isinstance(table, Table) and table.autoincrement_column is not None:
            table.dialect_options["sqlite"]["autoincrement"] = True
