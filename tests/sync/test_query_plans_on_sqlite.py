"""What waits is found among thousands of rows: SQLite's own plans say so, too."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from sync.mail import deliver
from sync.surveys.sending import decide_runs
from tests.support.harness import Harness
from tests.sync.test_query_plans import fill_tables, record_statements

LARGE = {"run", "mail"}
# An index of nothing but the rows that wait: reading it whole is what we want.
WAITING = "ix_run_runner_id_undecided_since"


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    copy = tmp_path / "moodmiles.sqlite3"
    shutil.copy(sqlite_template, copy)
    return f"sqlite:///{copy}"


def list_full_scans(harness: Harness, statement: str, parameters: Any) -> set[str]:
    """Return the large tables of which a statement's plan looks at every row."""
    with harness.runtime.db.engine.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", parameters
        ).all()
    scans = [row.detail for row in plan if WAITING not in row.detail]
    matches = [re.match(r"SCAN (\w+)", scan) for scan in scans]
    return {table[1] for table in matches if table} & LARGE


@pytest.mark.parametrize("knows_how_many", [True, False])
def test_looking_for_what_waits_reads_no_table_whole(
    harness: Harness, *, knows_how_many: bool
) -> None:
    fill_tables(harness, runners=300)
    if knows_how_many:
        with harness.runtime.db.transaction() as session:
            session.execute(text("ANALYZE"))
        harness.runtime.db.engine.dispose()

    with record_statements(harness.runtime.db.engine) as noted:
        decide_runs.process_due(harness.runtime)
        deliver.deliver_due(harness.runtime)

    whole = {
        statement: tables
        for statement, parameters in noted
        if (tables := list_full_scans(harness, statement, parameters))
    }
    assert len(noted) >= 3
    assert whole == {}
