"""One runner's runs and answers as columns of plain values, read and opened once.

One query a table and no ORM entities; booleans come as one number, and times and
days as numbers, because each value of ten thousand rows costs its microsecond.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import chain
from operator import add
from typing import Any, NamedTuple

from sqlalchemy import (
    CursorResult,
    Double,
    Integer,
    Select,
    Text,
    and_,
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
from sync.models import RUN_IS_IN_FIGURES, Answer, DelayDraw, Run, Survey
from sync.models.base import UNREADABLE_DAY
from sync.vocabulary import AnswerKind

# A "before" said on the way out and the wellbeing page are neither.
MOOD_KINDS = (AnswerKind.RUN, AnswerKind.CHECKIN)
EARLIER_RUNS = "earlier_runs"
START_KNOWN, RACE, WITH_OTHERS, TREADMILL, MANUAL = 1, 2, 4, 8, 16
ON_TRAIL, VIRTUAL, BY_ELAPSED = 32, 64, 128
NO_MOOD, MOOD_AFTER_RUN, MOOD_AT_CHECK_IN, MOOD_BEFORE_RUN = 0, 1, 2, 3
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


# Of PostgreSQL's days those that Python has; infinity is none.
_FIRST_DAY, _LAST_DAY = "date '0001-01-01'", "date '9999-12-31'"


@compiles(epoch_s, "sqlite")
def _compile_epoch_sqlite(
    element: epoch_s, compiler: SQLCompiler, **options: Any
) -> str:
    moment = compiler.process(element.clauses, **options)
    # A third of what strftime('%s') costs. A day number is exact to 0.04 ms.
    # What is no time is 0, as `UNREADABLE_TIME` is.
    return (
        f"coalesce(cast((julianday({moment}) - 2440587.5) * 86400 + 0.0005 as integer),"
        " 0)"
    )


@compiles(epoch_s, "postgresql")
def _compile_epoch_postgresql(
    element: epoch_s, compiler: SQLCompiler, **options: Any
) -> str:
    moment = compiler.process(element.clauses, **options)
    return (
        f"CASE WHEN {moment} BETWEEN {_FIRST_DAY} AND {_LAST_DAY} "
        f"THEN floor(extract(epoch from {moment}))::float8 ELSE 0 END"
    )


@compiles(day_number, "sqlite")
def _compile_day_sqlite(
    element: day_number, compiler: SQLCompiler, **options: Any
) -> str:
    day = compiler.process(element.clauses, **options)
    return (
        f"coalesce(cast(julianday({day}) - 1721424.5 as integer), "
        f"{UNREADABLE_DAY.toordinal()})"
    )


@compiles(day_number, "postgresql")
def _compile_day_postgresql(
    element: day_number, compiler: SQLCompiler, **options: Any
) -> str:
    day = compiler.process(element.clauses, **options)
    return (
        f"CASE WHEN {day} BETWEEN {_FIRST_DAY} AND {_LAST_DAY} "
        f"THEN ({day} - {_FIRST_DAY}) + 1 ELSE {UNREADABLE_DAY.toordinal()} END"
    )


class RunColumns(NamedTuple):
    """The runs that count, oldest first; `flags` adds up the flags that each has."""

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

    `mood_source` tells whether a mood was given after a run, at a check-in, on the way
    out to a run, or not.
    """

    run_id: Sequence[int | None]
    answered_s: Sequence[float]
    mood_source: Sequence[int]
    sealed: Sequence[bytes]
    tags: Sequence[str | None]
    minutes_since_end: Sequence[int | None] = ()


class DelayColumns(NamedTuple):
    """The delays drawn for questions after runs, oldest first; `odds` is JSON.

    `run_id` is the run that the answer is about, or else the one asked about.
    `asks_s` is when the question goes out; `is_sent` whether it did and stands.
    """

    run_id: Sequence[int | None] = ()
    delay_h: Sequence[int] = ()
    odds: Sequence[str] = ()
    asks_s: Sequence[float] = ()
    is_sent: Sequence[int] = ()
    is_answered: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class RunnerRows:
    """The columns that were read, with the opened values of each answer."""

    runs: RunColumns
    answers: AnswerColumns
    answer_values: Sequence[Mapping[str, int]]
    delays: DelayColumns = field(default_factory=DelayColumns)


def read_rows(
    session: Session, runner_id: int, vault: Vault, *, for_page: bool = False
) -> RunnerRows:
    """Read what the figures need; for a page also the minutes to each answer."""
    runs = RunColumns(*_fetch_columns(session, _RUNS_QUERY, runner_id))
    answers_query = _PAGE_ANSWERS_QUERY if for_page else _ANSWERS_QUERY
    answer_columns = AnswerColumns(*_fetch_columns(session, answers_query, runner_id))
    delays = DelayColumns(*_fetch_columns(session, _DELAYS_QUERY, runner_id))
    return RunnerRows(
        runs, answer_columns, vault.open_all(answer_columns.sealed), delays
    )


def _fetch_columns(
    session: Session, query: Select[Any], runner_id: int
) -> Sequence[Sequence[Any]]:
    """Return the query's columns, and keep no row.

    Ten thousand rows at once are ten thousand objects for the garbage collector, and
    plain values need no SQLAlchemy.
    """
    parameters = {"runner_id": runner_id}
    result: CursorResult[Any] = session.connection().execute(query, parameters)
    batches = iter(partial(result.cursor.fetchmany, _FETCH_SIZE), [])
    values = list(chain.from_iterable(chain.from_iterable(batches)))
    n_columns = len(result.keys())
    return [values[index::n_columns] for index in range(n_columns)]


_RUN, _ANSWER = Run.__table__.c, Answer.__table__.c
_FLAGS: Sequence[tuple[Any, int]] = (
    (_RUN.start_known, START_KNOWN),
    (_RUN.race, RACE),
    (_RUN.with_others, WITH_OTHERS),
    (_RUN.treadmill, TREADMILL),
    (_RUN.manual, MANUAL),
    (_RUN.sport == "TrailRun", ON_TRAIL),
    (_RUN.sport == "VirtualRun", VIRTUAL),
    (_RUN.trusted_moving_s != _RUN.moving_s, BY_ELAPSED),
)
_RUNS_QUERY = (
    select(
        _RUN.id,
        epoch_s(_RUN.started_at),
        _RUN.offset_s,
        day_number(_RUN.local_day),
        _RUN.distance_m,
        _RUN.trusted_moving_s,
        _RUN.trusted_elapsed_s,
        reduce(add, [case((column, bit), else_=0) for column, bit in _FLAGS]),
    )
    .select_from(Run.__table__)
    .where(
        _RUN.runner_id == bindparam("runner_id"),
        RUN_IS_IN_FIGURES,
    )
    .order_by(_RUN.started_at, _RUN.id)
)
_ANSWERS_QUERY = (
    select(
        _ANSWER.run_id,
        epoch_s(_ANSWER.answered_at),
        case(
            (_ANSWER.kind == AnswerKind.RUN, MOOD_AFTER_RUN),
            (_ANSWER.kind == AnswerKind.CHECKIN, MOOD_AT_CHECK_IN),
            (_ANSWER.kind == AnswerKind.PRE_RUN, MOOD_BEFORE_RUN),
            else_=NO_MOOD,
        ),
        _ANSWER.sealed,
        # As text: hardly any answer has tags, and fewer any that count here.
        func.nullif(cast(_ANSWER.tags, Text), "{}"),
    )
    .where(
        _ANSWER.runner_id == bindparam("runner_id"),
        or_(
            _ANSWER.kind.in_((*MOOD_KINDS, AnswerKind.PRE_RUN)),
            _ANSWER.run_id.is_not(None),
        ),
    )
    .order_by(_ANSWER.answered_at, _ANSWER.id)
)
_PAGE_ANSWERS_QUERY = _ANSWERS_QUERY.add_columns(_ANSWER.minutes_since_end)
_DRAW, _SURVEY = DelayDraw.__table__.c, Survey.__table__.c
_DELAYS_QUERY = (
    select(
        func.coalesce(_ANSWER.run_id, _RUN.duplicate_of, _DRAW.run_id),
        _DRAW.delay_h,
        cast(_DRAW.odds, Text),
        epoch_s(_DRAW.asks_at),
        case(
            (_SURVEY.sent_at.is_not(None) & _SURVEY.cancelled_for.is_(None), 1), else_=0
        ),
        case((_ANSWER.id.is_not(None), 1), else_=0),
    )
    .select_from(DelayDraw.__table__)
    .outerjoin(
        Run.__table__, and_(_RUN.id == _DRAW.run_id, _RUN.runner_id == _DRAW.runner_id)
    )
    .outerjoin(
        Survey.__table__,
        and_(
            _SURVEY.runner_id == _DRAW.runner_id,
            _SURVEY.pairing_key == _DRAW.pairing_key,
        ),
    )
    .outerjoin(
        Answer.__table__,
        and_(
            _ANSWER.runner_id == _DRAW.runner_id,
            _ANSWER.pairing_key == _DRAW.pairing_key,
        ),
    )
    .where(_DRAW.runner_id == bindparam("runner_id"))
    .order_by(_DRAW.drawn_at, _DRAW.id)
)
# By runner and the version of their runs and answers.
ROWS_CACHE: RunnerCache[RunnerRows] = RunnerCache(_MAX_CACHED)
