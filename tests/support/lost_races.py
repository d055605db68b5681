"""A PostgreSQL that lets transactions lose races, and a watch on the order of locks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, event, text

from sync.models import Model, Runner

# The first attempt fails at its first write, the second at its second, and so on.
_FAILING_WRITES = (1, 3, 6, 10, 15)
_OWN_TABLES = {
    table.name for table in Model.metadata.sorted_tables if "runner_id" in table.columns
}
_WRITE = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)")
_LOCK = re.compile(r"FROM runner\b.*FOR (?:NO KEY )?UPDATE", re.DOTALL)


class LostRaces:
    """Triggers that end a writing transaction as if another had overtaken it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    @contextmanager
    def install(cls, engine: Engine) -> Iterator["LostRaces"]:
        names = [table.name for table in Model.metadata.sorted_tables]
        numbers = ", ".join(map(str, _FAILING_WRITES))
        with engine.begin() as connection:
            connection.execute(text("CREATE SEQUENCE race_writes START 1000"))
            connection.exec_driver_sql(
                "CREATE FUNCTION lose_race() RETURNS trigger LANGUAGE plpgsql AS $$"
                f"BEGIN IF nextval('race_writes') IN ({numbers}) THEN "
                "RAISE EXCEPTION 'overtaken' USING ERRCODE = '40001'; END IF; "
                "RETURN NULL; END $$"
            )
            for name in names:
                connection.exec_driver_sql(
                    f"CREATE TRIGGER lose_race BEFORE INSERT OR UPDATE OR DELETE "
                    f"ON {name} FOR EACH STATEMENT EXECUTE FUNCTION lose_race()"
                )
        try:
            yield cls(engine)
        finally:
            with engine.begin() as connection:
                connection.exec_driver_sql("DROP FUNCTION lose_race CASCADE")
                connection.exec_driver_sql("DROP SEQUENCE race_writes")

    @contextmanager
    def lose(self) -> Iterator[None]:
        """Let what writes within lose the race at its first few writes."""
        self._set_next(1)
        try:
            yield
        finally:
            self._set_next(1000)

    def _set_next(self, number: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                text("SELECT setval('race_writes', :number, false)"), {"number": number}
            )


@dataclass
class LockOrder:
    """What transactions wrote about a runner before they locked the runner's row."""

    violations: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def watch(cls, engine: Engine) -> Iterator["LockOrder"]:
        order = cls()

        def begin(connection: Connection) -> None:
            connection.info["written"], connection.info["has_lock"] = None, False

        def execute(
            connection: Connection, _cursor: object, statement: str, *_more: object
        ) -> None:
            order.see(connection, statement)

        event.listen(engine, "begin", begin)
        event.listen(engine, "before_cursor_execute", execute)
        try:
            yield order
        finally:
            event.remove(engine, "begin", begin)
            event.remove(engine, "before_cursor_execute", execute)

    def see(self, connection: Connection, statement: str) -> None:
        write = _WRITE.match(statement)
        if _LOCK.search(statement) or (write and write[1] == Runner.__tablename__):
            written = connection.info.get("written")
            if written and not connection.info.get("has_lock"):
                self.violations.append(f"{written}\n  before {statement}")
            connection.info["has_lock"] = True
        elif write and write[1] in _OWN_TABLES:
            connection.info["written"] = statement
