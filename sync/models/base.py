"""The declarative base that every table shares, and our types."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, TypeVar

import structlog
from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
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
from sync.preferences import (
    DEFAULT_PREFERENCES,
    PREFERENCES_WITHOUT_MAIL,
    Preferences,
)

log = structlog.get_logger()

MemberT = TypeVar("MemberT", bound=StrEnum)

# What is read where SQLite holds no time or day at all, and PostgreSQL one that Python
# has not: a lease of then has ended, a link has expired, what happened then is over.
UNREADABLE_TIME = datetime(1970, 1, 1, tzinfo=UTC)
UNREADABLE_DAY = UNREADABLE_TIME.date()


@cache  # once for each process: a page may read thousands of such rows
def log_unreadable(kind: str) -> None:
    """Say that values are read as if they were others.

    How many lie in which column, `moodmiles doctor` counts: `host.unreadable_values`.
    """
    log.warning("stored values not understood", kind=kind)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite, which knows no zones, keeps it naive.

    What is no time is read as `UNREADABLE_TIME`.
    """

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
    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None]:
        parse: Callable[[Any], Any] = (
            self.impl_instance.result_processor(dialect, coltype) or _take
        )

        def read(value: Any) -> datetime | None:
            if value is None:
                return None
            try:
                moment: datetime = parse(value)
            except (ValueError, TypeError):
                log_unreadable("time")
                return UNREADABLE_TIME
            if moment.tzinfo is None:
                return moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC)

        return read


class LocalDay(TypeDecorator[date]):
    """A day in a place; what is no day is read as `UNREADABLE_DAY`."""

    impl = Date
    cache_ok = True

    @override
    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], date | None] | None:
        parse = self.impl_instance.result_processor(dialect, coltype)
        if parse is None:  # PostgreSQL holds nothing else
            return None

        def read(value: Any) -> date | None:
            try:
                day: date | None = parse(value)
            except (ValueError, TypeError):
                log_unreadable("day")
                return UNREADABLE_DAY
            return day

        return read


def _take(value: Any) -> Any:
    return value


class JsonObject(TypeDecorator[dict[str, Any]]):
    """A JSON object; anything else in the column is read as an empty one."""

    impl = JSON
    cache_ok = True

    @override
    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], dict[str, Any] | None]:
        parse = self.impl_instance.result_processor(dialect, coltype) or _take

        def read(value: Any) -> dict[str, Any] | None:
            if value is None:
                return None
            try:
                content = parse(value)
            # Nested too deeply, it is a RecursionError.
            except (ValueError, TypeError, RecursionError):
                content = None
            if isinstance(content, dict):
                return content
            log_unreadable("JSON")
            return {}

        return read


class SharedJson(JsonObject):
    """JSON that many rows hold alike: stored at once, it is written out only once.

    Else a tenth of deciding about an imported past is spent on writing the policy.
    """

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
    """A runner's preferences: JSON in the table, `Preferences` in Python.

    Of a runner whose choices are lost altogether, nothing is asked by mail.
    """

    impl = JSON
    cache_ok = True

    @override
    def process_bind_param(
        self, value: Preferences | None, dialect: Dialect
    ) -> dict[str, Any] | None:
        return None if value is None else value.to_stored()

    @override
    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], Preferences]:
        parse = self.impl_instance.result_processor(dialect, coltype) or _take

        def read(value: Any) -> Preferences:
            try:
                stored = parse(value)
                if not stored and not isinstance(stored, str):
                    return DEFAULT_PREFERENCES
                return Preferences.from_stored(stored)
            except (ValueError, TypeError, RecursionError):
                log_unreadable("preferences")
                return PREFERENCES_WITHOUT_MAIL

        return read

    @override
    def compare_values(self, x: Preferences, y: Preferences) -> bool:
        return x.to_stored() == y.to_stored()


class _WordByMember(dict[Any, Any]):
    """The word to store for each member of a closed set."""

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__({member: member.value for member in members})
        self[None] = None
        self._members = members

    def __missing__(self, value: object) -> str:
        # An unknown word that was read before is written back.
        if isinstance(value, self._members):
            return str(value.value)
        raise LookupError(f"{value!r} is no {self._members.__name__}")


class _MemberByWord(dict[Any, Any]):
    """The member of a closed set for each stored word, an unknown one included."""

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__({member.value: member for member in members})
        self[None] = None
        self._members = members

    def __missing__(self, word: object) -> StrEnum:
        log_unreadable(self._members.__name__)
        text = word.decode(errors="replace") if isinstance(word, bytes) else str(word)
        return vocabulary.unknown_word(self._members, text)


class EnumText(TypeDecorator[MemberT]):
    """A member of a closed set in a column of text, stored as its plain value.

    Another value is a LookupError on its way in, and an `unknown_word` on its way out:
    one row from a newer version must not keep a whole list from being read.  Both ways
    are one look into a dictionary, since whole pasts are read and written through them.
    """

    impl = String
    cache_ok = True

    def __init__(self, members: type[MemberT]) -> None:
        super().__init__()
        self.members = members

    @override
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        return _WordByMember(self.members).__getitem__

    @override
    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], Any]:
        return _MemberByWord(self.members).__getitem__


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
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        date: LocalDay(),
        dict[str, Any]: JsonObject(),
    } | {
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
