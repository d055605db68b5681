"""Times and days as plain numbers, counted by the database itself.

Ten thousand rows of dates cost Python four times what their numbers cost.
"""

from typing import Any

from sqlalchemy import Double, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class epoch_s(GenericFunction[float]):  # noqa: N801 - it is a function in SQL
    """Whole seconds since 1970 of an instant."""

    type = Double()
    inherit_cache = True


class day_number(GenericFunction[int]):  # noqa: N801 - it is a function in SQL
    """Number a date as Python's `date.toordinal()` does."""

    type = Integer()
    inherit_cache = True


@compiles(epoch_s, "sqlite")
def _compile_epoch_sqlite(
    element: epoch_s, compiler: SQLCompiler, **options: Any
) -> str:
    moment = compiler.process(element.clauses, **options)
    # A third of what strftime('%s') costs. A day number is exact to 0.04 ms.
    return f"cast((julianday({moment}) - 2440587.5) * 86400 + 0.0005 as integer)"


@compiles(epoch_s, "postgresql")
def _compile_epoch_postgresql(
    element: epoch_s, compiler: SQLCompiler, **options: Any
) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"floor(extract(epoch from {moment}))::float8"


@compiles(day_number, "sqlite")
def _compile_day_sqlite(
    element: day_number, compiler: SQLCompiler, **options: Any
) -> str:
    day = compiler.process(element.clauses, **options)
    return f"cast(julianday({day}) - 1721424.5 as integer)"


@compiles(day_number, "postgresql")
def _compile_day_postgresql(
    element: day_number, compiler: SQLCompiler, **options: Any
) -> str:
    return f"({compiler.process(element.clauses, **options)} - date '0001-01-01') + 1"
