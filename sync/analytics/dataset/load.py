"""One runner's runs and answers as columns of plain values, read and opened once.

One query a table and no ORM entities; booleans come as one number, and times and
days as numbers, because each value of ten thousand rows costs its microsecond.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Double,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from sync.analytics.dataset.cache import RunnerCache
from sync.crypto import Vault
from sync.models import Answer, Run

RUN, CHECK_IN = "run", "checkin"
# A "before" said on the way out and the wellbeing page are neither.
MOOD_KINDS = (RUN, CHECK_IN)
EARLIER_RUNS = "earlier_runs"
START_KNOWN, RACE, WITH_OTHERS, TREADMILL, MANUAL = 1, 2, 4, 8, 16
ON_TRAIL, VIRTUAL = 32, 64
NO_MOOD, MOOD_AFTER_RUN, MOOD_AT_CHECK_IN = 0, 1, 2
_FETCH_SIZE = 500
_MAX_CACHED = 2  # only until the figures have taken theirs


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


class RunColumns(NamedTuple):
    """The runs that count, oldest first; `facts` adds up what is true of each."""

    id: Sequence[int]
    started_s: Sequence[float]
    offset_s: Sequence[int]
    local_day: Sequence[int]
    distance_m: Sequence[float]
    moving_s: Sequence[int]
    elapsed_s: Sequence[int]
    flags: Sequence[int]


class AnswerColumns(NamedTuple):
    """The answers about mood or about a run, oldest first; `tags` is JSON.

    `mood_at` says after what a mood was told: a run, a check-in or NEITHER.
    """

    run_id: Sequence[int | None]
    answered_s: Sequence[float]
    mood_source: Sequence[int]
    sealed: Sequence[bytes]
    tags: Sequence[str | None]
    minutes_since_end: Sequence[int | None] = ()


@dataclass(frozen=True, slots=True)
class RunnerRows:
    """What was read, with what each answer `said`."""

    runs: RunColumns
    answers: AnswerColumns
    answer_values: Sequence[Mapping[str, int]]


def read_rows(
    session: Session, runner_id: int, vault: Vault, *, for_page: bool = False
) -> RunnerRows:
    """Read what the figures need; for a page also how soon each answer came."""
    runs = RunColumns(*_fetch_columns(session, _RUNS_QUERY, runner_id))
    answers_query = _PAGE_ANSWERS_QUERY if for_page else _ANSWERS_QUERY
    answer_columns = AnswerColumns(*_fetch_columns(session, answers_query, runner_id))
    return RunnerRows(runs, answer_columns, vault.open_all(answer_columns.sealed))


def _fetch_columns(
    session: Session, query: Select[Any], runner_id: int
) -> Sequence[Sequence[Any]]:
    """Return the query's columns, without a row outliving its place in them.

    Ten thousand rows at once are ten thousand objects that Python, time and again,
    looks through for rubbish; and plain values need nothing of SQLAlchemy's.
    """
    parameters = {"runner_id": runner_id}
    result: CursorResult[Any] = session.connection().execute(query, parameters)
    batches = iter(partial(result.cursor.fetchmany, _FETCH_SIZE), [])
    values = list(chain.from_iterable(chain.from_iterable(batches)))
    n_columns = len(result.keys())
    return [values[index::n_columns] for index in range(n_columns)]


def _build_runs_query() -> Select[Any]:
    run = Run.__table__.c
    flags = (
        (run.start_known, START_KNOWN),
        (run.race, RACE),
        (run.with_others, WITH_OTHERS),
        (run.treadmill, TREADMILL),
        (run.manual, MANUAL),
        (run.sport == "TrailRun", ON_TRAIL),
        (run.sport == "VirtualRun", VIRTUAL),
    )
    return (
        select(
            run.id,
            epoch_s(run.started_at),
            run.offset_s,
            day_number(run.local_day),
            run.distance_m,
            run.moving_s,
            run.elapsed_s,
            _combine_flags(flags),
        )
        .select_from(Run.__table__)
        .where(
            run.runner_id == bindparam("runner_id"),
            run.hidden_at.is_(None),
            run.counted,
        )
        .order_by(run.started_at, run.id)
    )


def _combine_flags(flags: Sequence[tuple[Any, int]]) -> ColumnElement[int]:
    (first_column, first_bit), *other_flags = flags
    total: ColumnElement[int] = case((first_column, first_bit), else_=0)
    for column, bit in other_flags:
        total += case((column, bit), else_=0)
    return total


def _build_answers_query() -> Select[Any]:
    answer = Answer.__table__.c
    return (
        select(
            answer.run_id,
            epoch_s(answer.answered_at),
            case(
                (answer.kind == RUN, MOOD_AFTER_RUN),
                (answer.kind == CHECK_IN, MOOD_AT_CHECK_IN),
                else_=NO_MOOD,
            ),
            answer.sealed,
            # As text: hardly any answer has tags, and fewer any that count here.
            func.nullif(cast(answer.tags, Text), "{}"),
        )
        .where(
            answer.runner_id == bindparam("runner_id"),
            or_(answer.kind.in_(MOOD_KINDS), answer.run_id.is_not(None)),
        )
        .order_by(answer.answered_at, answer.id)
    )


_RUNS_QUERY, _ANSWERS_QUERY = _build_runs_query(), _build_answers_query()
_PAGE_ANSWERS_QUERY = _ANSWERS_QUERY.add_columns(Answer.__table__.c.minutes_since_end)
# By runner and the version of their runs and answers.
ROWS_CACHE: RunnerCache[RunnerRows] = RunnerCache(_MAX_CACHED)
