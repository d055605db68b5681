"""After a restored backup no number is given that a row had since the backup."""

import pytest

from host.database import SKIPPED_NUMBERS, skip_numbers
from sync.models import Runner
from sync.runtime import Runtime
from tests.conftest import prepare_empty_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return prepare_empty_database(request, request.param)


def add_runner(runtime: Runtime) -> int:
    with runtime.db.transaction() as session:
        runner = Runner(created_at=runtime.now(), vault_key=b"")
        session.add(runner)
        session.flush()
        return runner.id


def test_new_runners_get_numbers_far_above(runtime: Runtime) -> None:
    known = [add_runner(runtime) for _ in range(3)]

    skip_numbers(runtime.db.engine)

    assert add_runner(runtime) > max(known) + SKIPPED_NUMBERS


def test_so_does_a_table_without_a_row(runtime: Runtime) -> None:
    skip_numbers(runtime.db.engine)

    assert add_runner(runtime) > SKIPPED_NUMBERS


def test_twice_is_twice_as_far(runtime: Runtime) -> None:
    skip_numbers(runtime.db.engine)
    skip_numbers(runtime.db.engine)

    assert add_runner(runtime) > 2 * SKIPPED_NUMBERS
