"""The states of exports, of the own log under a limit, and of a mail that came."""

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from mailbox import Maildir

from sqlalchemy import select, update

from sync.models import Export, Run
from sync.portability import exports
from sync.runs import retention
from sync.runtime import Runtime
from sync.settings import Settings
from sync.standins.fixtures.fixtures import Fixture
from sync.surveys.answering import retained_runs
from tests.support.harness import Harness

PAGE = "/settings/export"


def with_retention_limit(runtime: Runtime, days: int = 7) -> Runtime:
    """Return the same host with a limit on what it keeps of Strava's."""
    return replace(runtime, settings=limit_retention(runtime.settings, days))


def limit_retention(settings: Settings, days: int = 7) -> Settings:
    values = {**dict(settings), "strava_retention_days": days}
    return Settings.model_construct(**values)


def build_packing_export(harness: Harness, runner_id: int) -> Fixture:
    exports.request_export(harness.runtime, runner_id)
    return Fixture(PAGE, runner_id)


def build_packed_export(
    harness: Harness, runner_id: int, *, days_ago: int = 0
) -> Fixture:
    exports.request_export(harness.runtime, runner_id)
    exports.process_due(harness.runtime)
    with harness.runtime.db.transaction() as session:
        ended_at = harness.clock() + exports.RETENTION - timedelta(days=days_ago)
        session.execute(update(Export).values(expires_at=ended_at))
    return Fixture(PAGE, runner_id)


def build_failed_export(harness: Harness, runner_id: int) -> Fixture:
    exports.request_export(harness.runtime, runner_id)
    with harness.runtime.db.transaction() as session:
        session.execute(update(Export).values(due_at=None))
    return Fixture(PAGE, runner_id)


def build_retained_run(
    harness: Harness, runner_id: int, run_id: int, *, is_gone: bool = False
) -> Fixture:
    """Keep an answered run in the own log; Strava's record may be gone since."""
    strict_runtime = with_retention_limit(harness.runtime)
    retained_runs.set_retained_for_run(strict_runtime, runner_id, run_id, retain=True)
    if is_gone:
        harness.advance_clock(days=8)
        retention.purge_runs(strict_runtime)
    with harness.runtime.db.read_only() as session:
        newest = select(Run.id).order_by(Run.started_at.desc()).limit(1)
        own_id = session.scalars(newest).one()
    return Fixture(f"/runs/{own_id}", runner_id)


def add_mailbox_email(runtime: Runtime) -> Fixture:
    """Open a mail in the mailbox of a demo."""
    folder = runtime.settings.mailbox_dir
    assert folder
    mail = EmailMessage()
    mail["From"] = "Moodmiles <runs@mail.example>"
    mail["To"] = "sam@example.org"
    mail["Subject"] = "Moodmiles"
    mail.set_content("Moodmiles: http://127.0.0.1:8000/s/some-token?m=4\n")
    mail.add_alternative(
        '<p><a href="http://127.0.0.1:8000/s/some-token?m=4">Moodmiles</a></p>',
        subtype="html",
    )
    return Fixture(f"/mailbox/{Maildir(folder).add(mail)}")
