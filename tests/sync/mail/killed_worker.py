"""A worker for one delivery, started by a test that kills it half-way."""

import sys
from dataclasses import replace

from sync.database import Database, open_engine
from sync.mail.deliver import deliver_due
from sync.runtime import build
from tests.support.clock import ManualClock
from tests.sync.mail.conftest import NOON, build_settings


def main(database_url: str, smtp_url: str) -> None:
    runtime = build(build_settings(database_url, smtp_url=smtp_url))
    engine = open_engine(runtime.settings.sql_url)
    clock = ManualClock(NOON)
    db = Database(engine, runtime.queue, clock=clock)
    deliver_due(replace(runtime, db=db, now=clock))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
