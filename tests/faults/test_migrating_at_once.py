"""Two instances that start at once on empty tables both find them up to date."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from sqlalchemy import text

from host.database import MigrationState
from sync.database import open_engine
from tests.support.paths import ROOT
from tests.support.servers import TIMEOUT_S

pytestmark = pytest.mark.processes
INSTANCES = 3
# What `moodmiles db upgrade` does, from the moment when all has been imported.
PROGRAM = """
import sys
from host.database import MigrationState
tables = MigrationState(sys.argv[1])
tables.is_current()
print("ready", flush=True)
sys.stdin.readline()
tables.upgrade()
"""


@pytest.fixture
def empty_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """Give the address of a database without any table."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    shared = open_engine(database_url)
    name = f"empty_{token_hex(4)}"
    with shared.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield shared.url.set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name}"))
    shared.dispose()


def test_instances_that_migrate_at_once_are_no_error(empty_url: str) -> None:
    starts = [
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", PROGRAM, empty_url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(INSTANCES)
    ]
    for start in starts:
        assert start.stdout
        assert start.stdout.readline() == "ready\n"

    for start in starts:
        assert start.stdin
        start.stdin.write("go\n")
        start.stdin.flush()
    errors = [start.communicate(timeout=4 * TIMEOUT_S)[1] for start in starts]

    assert [start.returncode for start in starts] == [0] * INSTANCES, errors
    assert MigrationState(empty_url).is_current()
