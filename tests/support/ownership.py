"""Find statements that take a runner's rows without saying whose they are.

A statement says whose rows of a table it takes by comparing the table's `runner_id`
(of the runner table: `id`) with a value or with a row that is so bound itself, or by
the hash of a secret that its owner alone was given.
"""

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Engine, Table, event
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    Grouping,
)
from sqlalchemy.sql.selectable import CompoundSelect, Join, Select

from sync.models import Model, Runner
from tests.support.paths import ROOT

# A mail may be nobody's, and so may a visit to Strava.
OWNED_TABLES = {
    table
    for table in Model.metadata.sorted_tables
    if "runner_id" in table.columns and not table.columns["runner_id"].nullable
}
RUNNER_TABLE: Any = Runner.__table__
# What only its owner was given, or what Strava or a mailed link has proved.
SECRETS = {"token_hash", "state_hash", "athlete_id", "email_hash"}
OUR_FOLDERS = ("sync", "host", "web", "workers", "tests")
# Who takes rows of just anybody, and why; no page of a runner is among them.  The
# host's own commands count, list and reseal what all runners have.
ALLOWED = {
    "sync.digest.DigestWork.find_due": "whose week has ended",
    "sync.inbox.dead_letters._retry_runner_work": "the host tries everything again",
    "sync.portability.exports.ExportWork.claim": "due work of all runners",
    "sync.portability.exports.purge_expired": "what is over, whosever it was",
    "sync.runners.consents.request_renewals": "whose text is an older one",
    "sync.runners.disconnect.RemovalWork.find_due": "due work of all runners",
    "sync.runners.deletion.cancel_restored": "a restored backup is of all",
    "sync.runners.inactivity._find_inactive": "who was not here for long",
    "sync.runners.purge._delete_expired": "what is over, whosever it was",
    "sync.runners.store.find_claimant": "whom a file names as an athlete",
    "sync.runners.sign_in.sign_in": "what is over, whosever it was",
    "sync.runs.claims.claim_next": "due work of all runners",
    "sync.runs.quarantine.count_quarantined": "a number for the host",
    "sync.runs.quarantine.retry_quarantined": "the host tries everything again",
    "sync.runs.retention._purge_batch": "what is over, whosever it was",
    "sync.runs.retention._purge_quarantined": "what is over, whosever it was",
    "sync.surveys.sending.checkins.CheckinWork.find_due": "due work of all runners",
    "sync.surveys.sending.reevaluate.find_changed_surveys": "due work of all runners",
    "sync.surveys.store.find_waiting_runners": "due work of all runners",
    "sync.work.RunnerDueWork._find_unleased": "due work of all runners",
    "sync.work.RunnerDueWork._load_postponed_ids": "due work of all runners",
    "sync.runners.browser_sessions.sign_out_all": "the host signs everybody out",
    "sync.work_status._count_by_reason": "a number for the host",
    "sync.work_status.count_due": "a number for the host",
    "sync.work_status.read_status": "a number for the host",
    "web.health.counts.render_metrics": "a number for the host",
}
_CHECKED: WeakKeyDictionary[Any, frozenset[str]] = WeakKeyDictionary()


def watch_statements(found: list[str]) -> None:
    """Note each statement from now on that takes what is not said to be anybody's."""

    def check(*arguments: Any) -> None:
        statement, context = arguments[2], arguments[4]
        compiled = context.compiled
        if compiled is None:
            return
        unowned = _CHECKED.get(compiled)
        if unowned is None:
            unowned = _CHECKED[compiled] = frozenset(find_unowned(context))
        if unowned:
            caller = find_caller()
            if not caller.startswith(("tests.", "host.")) and caller not in ALLOWED:
                found.append(f"{caller} takes anybody's {sorted(unowned)}: {statement}")

    event.listen(Engine, "before_cursor_execute", check)


def find_unowned(context: Any) -> set[str]:
    """Return the tables whose rows a statement takes from just anybody."""
    compiled = context.compiled
    if compiled is None:
        return set()
    statement = getattr(compiled.compile_state, "statement", None)
    if statement is None:
        statement = compiled.statement
    return set(_visit(statement, bound=frozenset()))


def _visit(statement: Any, *, bound: frozenset[int]) -> Iterator[str]:
    """Yield the tables of a statement, and of those inside it, that are not bound.

    `bound` holds the hashes of the tables around it, which are the same for a table
    and for the ORM's annotated copy of it.
    """
    if isinstance(statement, CompoundSelect):
        for select in statement.selects:
            yield from _visit(select, bound=bound)
        return
    tables, conditions = _read_sources(statement)
    bound |= {hash(source) for source in tables if _get_table(source) is None}
    while newly_bound := {
        hash(source)
        for source in tables
        if hash(source) not in bound
        and any(_binds(condition, source, bound) for condition in conditions)
    }:
        bound |= newly_bound
    for source in tables:
        table = _get_table(source)
        if table is not None and hash(source) not in bound:
            yield table.name
    for inner in _list_inner(statement):
        yield from _visit(inner, bound=bound)


def _read_sources(statement: Any) -> tuple[list[Any], list[Any]]:
    """Return the tables that a statement reads or writes, and all its conditions."""
    if isinstance(statement, Select):
        sources: list[Any] = [*statement.get_final_froms()]
    elif statement.is_dml and not statement.is_insert:
        sources = [] if _is_of_unit_of_work(statement) else [statement.table]
    else:
        sources = []
    tables: list[Any] = []
    criteria: list[Any] = [getattr(statement, "whereclause", None)]
    while sources:
        source = sources.pop()
        if isinstance(source, Join):
            sources += [source.left, source.right]
            criteria.append(source.onclause)
        else:
            tables.append(source)
    return tables, [part for criterion in criteria for part in _split(criterion)]


def _is_of_unit_of_work(statement: Any) -> bool:
    """Whether the ORM writes a row that was loaded, and found to be its owner's."""
    parts = list(_split(statement.whereclause))
    return bool(parts) and all(
        isinstance(part, BinaryExpression)
        and isinstance(part.left, Column)
        and isinstance(part.right, BindParameter)
        and part.right.key in {part.left.key, f"{part.left.table.name}_{part.left.key}"}
        for part in parts
    )


def _split(criterion: Any) -> Iterator[Any]:
    """Yield the conditions that all have to hold."""
    if criterion is None:
        return
    if isinstance(criterion, Grouping):
        yield from _split(criterion.element)
    elif (
        isinstance(criterion, BooleanClauseList)
        and criterion.operator is operators.and_
    ):
        for part in criterion.clauses:
            yield from _split(part)
    else:
        yield criterion


def _get_table(source: Any) -> Table | None:
    """Return the runner's table behind a table or its alias; None for any other."""
    table = getattr(source, "element", source)
    is_owned = any(
        hash(table) == hash(owned) for owned in {*OWNED_TABLES, RUNNER_TABLE}
    )
    return table if is_owned else None


def _binds(condition: Any, source: Any, bound: frozenset[int]) -> bool:
    if isinstance(condition, BooleanClauseList):
        is_choice = condition.operator is operators.or_
        return is_choice and all(
            _binds(part, source, bound) for part in condition.clauses
        )
    if not isinstance(condition, BinaryExpression):
        return False
    if condition.operator is operators.is_:
        # No row is without a number: this takes nobody's.
        return condition.left.name in {"id", "runner_id"} and _names_owner(
            condition.left, source
        )
    if condition.operator not in {operators.eq, operators.in_op}:
        return False
    sides = condition.left, condition.right
    return any(
        _names_owner(own, source) and _is_given(other, bound)
        for own, other in (sides, sides[::-1])
    )


def _names_owner(column: Any, source: Any) -> bool:
    if getattr(column, "table", None) is None or hash(column.table) != hash(source):
        return False
    is_runner = hash(_get_table(source)) == hash(RUNNER_TABLE)
    return column.name in SECRETS | {"id" if is_runner else "runner_id"}


def _is_given(other: Any, bound: frozenset[int]) -> bool:
    """Whether this is a value, a subquery, or a column of what is bound."""
    table = getattr(other, "table", None)
    return table is None or hash(table) in bound


def _list_inner(statement: Any) -> Iterable[Any]:
    """Return the selects directly inside a statement."""
    inner: list[Any] = []
    pending: list[Any] = list(statement.get_children())
    while pending:
        element = pending.pop()
        if isinstance(element, Select | CompoundSelect):
            inner.append(element)
        else:
            pending += element.get_children()
    return inner


def find_caller() -> str:
    """Return the function of ours that runs the statement, such as `sync.x.f`."""
    frame = sys._getframe(1)  # noqa: SLF001 - the one way to ask who is calling
    while frame.f_back is not None:
        frame = frame.f_back
        if name := _name_function(frame.f_code):
            return name
    return ""


@cache
def _name_function(code: CodeType) -> str:
    """Return a function's full name; "" if it is not ours."""
    path = Path(code.co_filename)
    if not path.is_relative_to(ROOT):
        return ""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] not in OUR_FOLDERS or parts == ("tests", "support", "ownership"):
        return ""
    function, _, _ = code.co_qualname.partition(".<locals>")
    return f"{'.'.join(parts)}.{function}"
