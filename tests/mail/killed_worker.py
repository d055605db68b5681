"""A worker for one delivery, started by a test that kills it half-way."""

import sys
from dataclasses import replace
from pathlib import Path

from sync.database import Database, connect
from sync.mail.deliver import deliver_due
from sync.runtime import build
from tests.mail.conftest import Clock, settings_for


def main(data_dir: str, smtp_url: str) -> None:
    runtime = build(settings_for(Path(data_dir), smtp_url=smtp_url))
    engine = connect(runtime.settings.sql_url)
    clock = Clock()
    db = Database(engine, runtime.queue, clock=clock)
    deliver_due(replace(runtime, db=db, now=clock))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
