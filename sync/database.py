"""Sessions and transactions.  The only module that commits."""

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from sqlite3 import Connection as SqliteConnection
from typing import Any, TypeAlias

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Row,
    bindparam,
    case,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from sync.clock import Clock, utc_now
from sync.conflicts import is_locked, mark_effect
from sync.models import Counter, Runner
from sync.models.base import (
    UNREADABLE_DAY,
    UNREADABLE_TIME,
    UtcDateTime,
    log_unreadable,
)
from sync.queue import Job, Queue
from sync.setting_urls import POOL_MODE, read_connection_parameters

Bind: TypeAlias = Engine | Connection

# https://www.postgresql.org/docs/current/catalog-pg-type.html, and how rows come.
_TIMESTAMPTZ, _DATE, _TEXT_FORMAT = 1184, 1082, 0
_READ_INSTEAD: Mapping[int, date] = {
    _TIMESTAMPTZ: UNREADABLE_TIME,
    _DATE: UNREADABLE_DAY,
}

# SQLite's writers do not queue: on a busy machine a rare writer may be overtaken
# many times, and to wait is better than to fail.
_LOCK_TIMEOUT_S = 30
_CHECK_TIMEOUT_MS = 500
# A server that went away without a word is noticed, and not waited for; in seconds,
# the last in milliseconds.
_LINE_TIMEOUTS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
# No page and no work waits longer for one statement, or holds its locks for longer
# without doing anything.  What the host has set otherwise, for the role or in the
# address, stays.
_BOUND_STATEMENTS = f"""
    SELECT set_config(name, value, false) FROM (VALUES
        ('statement_timeout', '60s'),
        ('lock_timeout', '{_LOCK_TIMEOUT_S}s'),
        ('idle_in_transaction_session_timeout', '300s')
    ) AS bound (name, value)
    WHERE current_setting(name) = '0'
"""  # noqa: S608 - of our own numbers
# The name of the one row that `check_writable` writes; it counts nothing.
WRITE_CHECK = "write check"
_MAX_COUNT = 10**9
_PENDING_WAKES = "wakes"
_READ_ONLY = "moodmiles_read_only"
_AUTOCOMMIT = "moodmiles_alone"
# Not FOR NO KEY UPDATE: whoever changes a key, or deletes the row, would have to wait
# once more, behind those who inserted rows of this runner meanwhile.
_LOCK_RUNNER = (
    select(Runner.id)
    .where(Runner.id == bindparam("locked_runner_id", type_=Runner.id.type))
    .with_for_update()
)


class Database:
    """Sessions on the tables: `transaction()` to write, `read_only()` to read."""

    def __init__(
        self, engine: Engine, queue: Queue, *, clock: Clock | None = None
    ) -> None:
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        # SQLite commits each statement by itself where nobody sends BEGIN.
        self._autocommit_engine = (
            engine.execution_options(isolation_level="AUTOCOMMIT")
            if engine.dialect.name == "postgresql"
            else engine.execution_options(**{_AUTOCOMMIT: True})
        )
        # A transaction of SQLite reads one snapshot by itself.
        self._read_only_options = (
            {"isolation_level": "REPEATABLE READ", _READ_ONLY: True}
            if engine.dialect.name == "postgresql"
            else {_READ_ONLY: True}
        )
        self._queue = queue
        self._clock = clock

    @contextmanager
    def transaction(self, *, runner_id: int | None = None) -> Generator[Session]:
        """Commit at the end or roll back; send the wake-ups after a commit.

        With `runner_id` it begins with `lock_runner`, so that what it checks about
        this runner still holds when it writes.
        """
        with self._sessions.begin() as session:
            if runner_id is not None:
                lock_runner(session, runner_id)
            yield session
        mark_effect()
        for job in sorted(session.info.pop(_PENDING_WAKES, ())):
            self._queue.wake(job)

    @contextmanager
    def read_only(self) -> Generator[Session]:
        """Read one snapshot, without the write lock; changes are rolled back.

        What was read first, such as the key of a vault, belongs to what is read later.
        """
        with self._sessions() as session:
            session.connection(execution_options=self._read_only_options)
            yield session

    def execute_autocommit(
        self, statement: Executable, values: Mapping[str, Any]
    ) -> Sequence[Row[Any]]:
        """Run one statement as its own transaction and return its rows.

        It costs a fifth of `transaction()`: for what comes by the thousand.
        """
        with self._autocommit_engine.connect() as connection:
            # SQLite commits when the last row has been read: read them all.
            rows = connection.execute(statement, values).all()
        mark_effect()
        return rows

    @cached_property
    def now_expression(self) -> ColumnElement[datetime]:
        """The database's clock as part of a statement, which saves a query."""
        if self._clock is None and self.engine.dialect.name == "postgresql":
            return func.clock_timestamp()
        read_clock = self._clock or utc_now
        return bindparam("moment", callable_=read_clock, type_=UtcDateTime())

    def ago_expression(self, interval: timedelta) -> ColumnElement[datetime]:
        """`now_expression`, earlier by an interval."""
        if self._clock is None and self.engine.dialect.name == "postgresql":
            return func.clock_timestamp() - interval
        read_clock = self._clock or utc_now
        return bindparam(
            None, callable_=lambda: read_clock() - interval, type_=UtcDateTime()
        )

    def now(self, session: Session) -> datetime:
        """Return the time by the database's clock, which all processes share."""
        if self._clock is not None:
            return self._clock()
        if self.engine.dialect.name == "postgresql":
            now: datetime = session.scalars(select(func.clock_timestamp())).one()
            return now
        return utc_now()  # SQLite has no clock but that of its machine

    def check_writable(self) -> None:
        """Commit a row, as work does; raises SQLAlchemy's errors.

        On a disk that is full, or to a server that lets nobody write, it fails as
        work does.  It waits for no other writer: where one is at work, one can be.
        """
        is_sqlite = self.engine.dialect.name == "sqlite"
        statement = dialect_insert(self.engine, Counter).values(
            name=WRITE_CHECK, count=0, latest_at=self.now_expression
        )
        statement = statement.on_conflict_do_update(
            index_elements=["name"], set_={"latest_at": statement.excluded.latest_at}
        )
        with self._autocommit_engine.connect() as connection:
            if is_sqlite:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_CHECK_TIMEOUT_MS}")
            try:
                connection.execute(statement)
            except OperationalError as error:
                if not is_locked(error):
                    raise
            finally:
                if is_sqlite:
                    milliseconds = _LOCK_TIMEOUT_S * 1000
                    connection.exec_driver_sql(f"PRAGMA busy_timeout={milliseconds}")

    def truncate_wal(self) -> None:
        """Empty SQLite's log, which may hold copies of deleted rows."""
        if self.engine.dialect.name == "sqlite":
            with self._autocommit_engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()

    def close(self) -> None:
        self.engine.dispose()


def wake_after_commit(session: Session, job: Job) -> None:
    """Wake the workers for `job` once `session` commits, never if it rolls back."""
    session.info.setdefault(_PENDING_WAKES, set()).add(job)


def lock_runner(session: Session, runner_id: int) -> bool:
    """Let no other transaction write about this runner until this one ends.

    False if there is no such runner.  The runner's row is locked before any other
    row of theirs is: two transactions that lock in this order never deadlock.  What
    was read before may be out of date.  (SQLite has one writer in any case.)
    """
    return session.scalar(_LOCK_RUNNER, {"locked_runner_id": runner_id}) is not None


def lock_name(session: Session | Connection, name: str) -> None:
    """Let no other transaction hold this name until this one ends.

    For a rule about a whole table, which no row stands for.
    """
    bind = session.get_bind() if isinstance(session, Session) else session
    if bind.dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


def count_up(column: Any, amount: int = 1) -> ColumnElement[int]:
    """Add to a count, in a statement that fails for no value that the column holds.

    A claim must not stop at one row whose count cannot be added to: PostgreSQL raises
    beyond the largest number.  A count that none can have come to begins anew.
    """
    return case((column.between(0, _MAX_COUNT), column + amount), else_=amount)


def dialect_insert(
    target: Session | Bind, table: Any
) -> "sqlite.Insert | postgresql.Insert":
    """Return an INSERT of the dialect in use, which knows ON CONFLICT."""
    bind = target.get_bind() if isinstance(target, Session) else target
    is_postgres = bind.dialect.name == "postgresql"
    return postgresql.insert(table) if is_postgres else sqlite.insert(table)


def open_engine(url: str, *, is_bounded: bool = False) -> Engine:
    """Build an engine: PostgreSQL with a checked pool, or SQLite in WAL mode.

    `is_bounded` is for pages and work: no statement of theirs may take minutes, as
    one of a migration may.

    PostgreSQL's own library reads its address.  `pool_mode=transaction` in it says
    that each transaction may have another server process, as behind PgBouncer: what
    is prepared in one is not there in the next, so nothing is prepared.
    """
    if not url.startswith("sqlite"):
        shared = re.compile(rf"[?&]{POOL_MODE}=transaction$")
        is_shared = shared.search(url) is not None
        parameters = read_connection_parameters(shared.sub("", url))
        options: dict[str, Any] = {
            name: value
            for name, value in _LINE_TIMEOUTS.items()
            if name not in parameters
        }
        if is_shared:
            options["prepare_threshold"] = None
        engine = create_engine(
            _build_postgres_url(parameters),
            connect_args=options,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        event.listen(engine, "connect", read_any_time)
        # What one transaction sets, the next of somebody else would have behind a
        # pooler: there it is the role's to set.
        if is_bounded and not is_shared:
            event.listen(engine, "connect", bound_statements)
        return engine
    # The parameters may be an answer or a token: no error message shows them.
    engine = create_engine(
        url, connect_args={"timeout": _LOCK_TIMEOUT_S}, hide_parameters=True
    )
    event.listen(engine, "connect", prepare_sqlite_connection)
    event.listen(engine, "begin", begin_sqlite_transaction)
    return engine


def _build_postgres_url(parameters: dict[str, str]) -> URL:
    """Return SQLAlchemy's form of an address, whose own reader knows fewer of them."""
    hosts = parameters.pop("host", "").split(",")
    ports = parameters.pop("port", "").split(",")
    is_plain = len(hosts) == 1 and hosts[0][:1] not in {"/", "@"}
    if not is_plain:
        # One port of several hosts is the port of each.
        ports = ports * len(hosts) if len(ports) == 1 else ports
        parameters |= {"host": ",".join(hosts), "port": ",".join(ports)}
    return URL.create(
        "postgresql+psycopg",
        username=parameters.pop("user", None),
        password=parameters.pop("password", None),
        database=parameters.pop("dbname", None),
        host=hosts[0] or None if is_plain else None,
        port=int(ports[0]) if is_plain and ports[0] else None,
        query={name: value for name, value in parameters.items() if value.strip(",")},
    )


def read_any_time(connection: Any, _record: object) -> None:
    """Let PostgreSQL's times that are none in Python keep no row from being read.

    They are infinity, and the years before 1 and after 9999.
    """
    for oid, replacement in _READ_INSTEAD.items():
        loader = connection.adapters.get_loader(oid, _TEXT_FORMAT)
        connection.adapters.register_loader(
            oid, _build_tolerant_loader(loader, connection.DataError, replacement)
        )


@cache
def _build_tolerant_loader(
    loader: Any, error: type[Exception], replacement: date
) -> type[Any]:
    """Return a loader of psycopg's that has a value for what it refuses."""

    class TolerantLoader:
        format = _TEXT_FORMAT

        def __init__(self, oid: int, context: Any = None) -> None:
            self._load = loader(oid, context).load

        def load(self, data: Any) -> Any:
            try:
                return self._load(data)
            except error:
                log_unreadable("time")
                return replacement

    return TolerantLoader


def bound_statements(connection: Any, _record: object) -> None:
    """Let PostgreSQL end what takes too long, from a connection's beginning on."""
    connection.execute(_BOUND_STATEMENTS)
    connection.commit()


def prepare_sqlite_connection(connection: SqliteConnection, _record: object) -> None:
    """Set the pragmas of a new connection and turn off the driver's transactions.

    We begin transactions ourselves: the driver's deferred BEGIN fails with "database
    is locked" as soon as two readers want to write.
    """
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        # What is deleted is overwritten, however this SQLite was built.
        "secure_delete=ON",
        f"busy_timeout={_LOCK_TIMEOUT_S * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def begin_sqlite_transaction(connection: Connection) -> None:
    """Take the write lock at once, unless the options say read-only or autocommit."""
    options = connection.get_execution_options()
    if _AUTOCOMMIT not in options:
        is_read_only = _READ_ONLY in options
        connection.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")
