"""Units of work that lose a race for the database, and run again as a whole.

A transaction that lost a race says nothing about the request or the job: it has
changed nothing, and a second look finds what the winner wrote.  See
docs/decisions/0026-a-lost-race-is-run-again.md.
"""

import random
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from itertools import count
from sqlite3 import (
    SQLITE_BUSY,
    SQLITE_CONSTRAINT_FOREIGNKEY,
    SQLITE_CONSTRAINT_PRIMARYKEY,
    SQLITE_CONSTRAINT_UNIQUE,
    SQLITE_LOCKED,
)
from time import monotonic, sleep
from typing import ParamSpec, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

log = structlog.get_logger()

P = ParamSpec("P")
ResultT = TypeVar("ResultT")

MAX_ATTEMPTS = 10
# What a constraint refuses may as well be a mistake of ours, which stays one.
MAX_ATTEMPTS_AT_ROWS = 4
# A lock that was waited for in vain for longer than this is not free a moment later.
GIVE_UP_AFTER_S = 10.0
_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.5

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES_LOCKS = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "55P03",  # lock_not_available
}
_POSTGRES_ROWS = {
    "23505",  # unique_violation: another has just inserted it
    "23503",  # foreign_key_violation: another has just deleted the parent
}
# https://www.sqlite.org/rescode.html; the low byte of a code is the primary one.
_SQLITE_LOCKS = {SQLITE_BUSY, SQLITE_LOCKED}
_SQLITE_ROWS = {
    SQLITE_CONSTRAINT_UNIQUE,
    SQLITE_CONSTRAINT_PRIMARYKEY,
    SQLITE_CONSTRAINT_FOREIGNKEY,
}
_PRIMARY_CODE = 0xFF


@dataclass(slots=True)
class _UnitOfWork:
    """What runs again if it loses a race, until it has had an effect."""

    outer: "_UnitOfWork | None"
    has_effects: bool = False


_current_unit: ContextVar[_UnitOfWork | None] = ContextVar("unit of work", default=None)


def retry_conflicts(work: Callable[P, ResultT]) -> Callable[P, ResultT]:
    """Let a function run again, from its beginning, when it loses a race.

    It runs again only while it has had no effect: after a commit, or a request to
    somebody else, the error is raised.  What comes behind an effect is therefore a
    function of its own with this decorator.  A function that is called by another
    which can still run again itself leaves that to the other.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> ResultT:
        outer = _current_unit.get()
        if outer is not None and not outer.has_effects:
            return work(*args, **kwargs)
        gives_up_at = monotonic() + GIVE_UP_AFTER_S
        for attempt in count(1):
            unit = _UnitOfWork(outer)
            token = _current_unit.set(unit)
            try:
                return work(*args, **kwargs)
            except Exception as error:
                is_over = attempt >= count_attempts(error) or monotonic() > gives_up_at
                if unit.has_effects or is_over:
                    raise
                log.info("lost race run again", error=type(error).__name__)
            finally:
                _current_unit.reset(token)
            sleep(_choose_pause(attempt))
        raise AssertionError("unreachable")  # count() does not end

    return run


def mark_effect() -> None:
    """Say that something was committed, or asked of somebody else.

    No unit of work that has begun by now runs again.
    """
    unit = _current_unit.get()
    while unit is not None and not unit.has_effects:
        unit.has_effects = True
        unit = unit.outer


def count_attempts(error: BaseException) -> int:
    """Return how often work may be begun that ends with this error.

    That is once unless the error may be the doing of another transaction alone, as a
    row is that was there a moment ago and is missing.
    """
    if isinstance(error, NoResultFound | ObjectDeletedError | StaleDataError):
        return MAX_ATTEMPTS_AT_ROWS
    if not isinstance(error, DBAPIError):
        return 1
    if is_locked(error):
        return MAX_ATTEMPTS
    state = getattr(error.orig, "sqlstate", None)
    code = getattr(error.orig, "sqlite_errorcode", 0)
    if state in _POSTGRES_ROWS or code in _SQLITE_ROWS:
        return MAX_ATTEMPTS_AT_ROWS
    return 1


def is_locked(error: DBAPIError) -> bool:
    """Whether another transaction alone was in the way."""
    state = getattr(error.orig, "sqlstate", None)
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return state in _POSTGRES_LOCKS or code & _PRIMARY_CODE in _SQLITE_LOCKS


def _choose_pause(attempt: int) -> float:
    """Return how long to wait: longer each time, and never as long as the others."""
    longest = min(_FIRST_PAUSE_S * 2**attempt, _LONGEST_PAUSE_S)
    return random.uniform(longest / 4, longest)  # noqa: S311 - no secret
