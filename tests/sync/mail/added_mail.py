"""Enqueues and delivers the mail of docs/adding.md, on a copy that has it."""

import sys
from dataclasses import replace
from datetime import timedelta

import sync
from sync.database import Database, open_engine
from sync.mail import outbox
from sync.mail.deliver import deliver_due
from sync.runtime import build
from sync.vocabulary import MailKind
from tests.support.clock import ManualClock
from tests.sync.mail.conftest import NOON, build_settings


def main(database_url: str, smtp_url: str) -> None:
    runtime = build(build_settings(database_url, smtp_url=smtp_url))
    engine = open_engine(runtime.settings.sql_url)
    clock = ManualClock(NOON)
    db = Database(engine, runtime.queue, clock=clock)
    runtime = replace(runtime, db=db, now=clock)
    with db.transaction() as session:
        outbox.enqueue_mail(
            session,
            sealer=runtime.sealer,
            now=NOON,
            dedupe_key="new-browser:1",
            kind=MailKind("new_browser"),
            runner_id=1,
            values={"signed_in_at": NOON, "zone": "Europe/Berlin"},
            stale_at=NOON + timedelta(days=2),
        )
    print(deliver_due(runtime), sync.__file__)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
