"""What says whose rows it takes passes; whatever does not is noted."""

from importlib import import_module
from operator import attrgetter
from typing import Any

import pytest
from sqlalchemy import (
    Executable,
    and_,
    bindparam,
    delete,
    event,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from sync.models import Answer, Run, Runner, Survey
from sync.runtime import Runtime
from tests.support.ownership import ALLOWED, find_unowned

BEFORE = aliased(Run)
OWNED = {
    "by runner": select(Run).where(Run.runner_id == 1, Run.id == 2),
    "by one of several": select(Run.id).where(Run.runner_id.in_([1, 2])),
    "by a value to come": select(Run).where(Run.runner_id == bindparam("whose")),
    "by this runner or that": select(Run.id).where(
        or_(Run.runner_id == 1, Run.runner_id == bindparam("whose"))
    ),
    "by this runner or by none": select(Run.id).where(
        or_(Run.runner_id == 1, Run.runner_id.is_(None))
    ),
    "the runner": select(Runner).where(Runner.id == 1),
    "joined by runner": select(Survey)
    .join(Run, and_(Run.id == Survey.run_id, Run.runner_id == Survey.runner_id))
    .where(Survey.runner_id == 1),
    "by a link's token": select(Survey).where(Survey.token_hash == "x"),
    "correlated": select(Run.id).where(
        Run.runner_id == 1, exists().where(Answer.runner_id == Run.runner_id)
    ),
    "changed": update(Answer).where(Answer.runner_id == 1).values(run_id=None),
    "nobody's table": select(exists().where(Runner.id == 1)),
}
UNOWNED = {
    "by number": select(Run).where(Run.id == 2),
    "by number, with a runner as a result": select(Run.runner_id).where(Run.id == 2),
    "all": select(Answer.sealed),
    "by pairing key": select(Survey.id).where(Survey.pairing_key == "x"),
    "joined by number": select(Survey)
    .join(Run, Run.id == Survey.run_id)
    .where(Survey.runner_id == 1),
    "whoever is linked nowhere": select(Runner).where(Runner.athlete_id.is_(None)),
    "this runner or any": select(Run).where(or_(Run.runner_id == 1, Run.counted)),
    "of another runner": select(Run).where(Run.runner_id != 1),
    "by another alias": select(Run)
    .join(BEFORE, BEFORE.id == Run.duplicate_of)
    .where(BEFORE.runner_id == 1),
    "inside": select(Run.id).where(
        Run.runner_id == 1, exists().where(Answer.run_id == Run.id)
    ),
    "below": update(Answer)
    .where(Answer.runner_id == 1, Answer.run_id.in_(select(Run.id)))
    .values(run_id=None),
    "changed by number": update(Answer).where(Answer.id == 1).values(run_id=None),
    "deleted by number": delete(Run).where(Run.id.in_([1])),
}


def find_taken(runtime: Runtime, statement: Executable) -> set[str]:
    """Run a statement; return the tables of which it takes anybody's rows."""
    taken: set[str] = set()

    def look(*arguments: Any) -> None:
        taken.update(find_unowned(arguments[4]))

    event.listen(runtime.db.engine, "before_cursor_execute", look)
    with runtime.db.read_only() as session:
        session.execute(statement, {"whose": 1})
    event.remove(runtime.db.engine, "before_cursor_execute", look)
    return taken


@pytest.mark.parametrize("statement", OWNED.values(), ids=OWNED)
def test_a_statement_that_says_whose_rows_passes(
    runtime: Runtime, statement: Executable
) -> None:
    assert find_taken(runtime, statement) == set()


@pytest.mark.parametrize("statement", UNOWNED.values(), ids=UNOWNED)
def test_a_statement_about_just_anybody_is_found(
    runtime: Runtime, statement: Executable
) -> None:
    assert find_taken(runtime, statement)


def test_what_the_orm_writes_back_passes(runtime: Runtime) -> None:
    taken: set[str] = set()

    def look(*arguments: Any) -> None:
        taken.update(find_unowned(arguments[4]))

    with runtime.db.read_only() as session:
        runner = Runner(created_at=runtime.now(), vault_key=b"")
        session.add(runner)
        session.flush()
        event.listen(runtime.db.engine, "before_cursor_execute", look)
        runner.zone = "Europe/Berlin"
        session.flush()
        session.delete(runner)
        session.flush()
        event.remove(runtime.db.engine, "before_cursor_execute", look)
    assert taken == set()


def test_whoever_may_take_anybodys_rows_is_there() -> None:
    for name in ALLOWED:
        function, holder = name.rpartition(".")[2], name.rpartition(".")[0]
        if holder.rpartition(".")[2][0].isupper():
            holder, _, owner = holder.rpartition(".")
            function = f"{owner}.{function}"
        assert callable(attrgetter(function)(import_module(holder)))
