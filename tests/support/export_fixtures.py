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
from sync.standins.fixtures.fixtures import Scene
from sync.surveys.answering import retained_runs
from tests.support.harness import Stage

PAGE = "/settings/export"


def strict(runtime: Runtime, days: int = 7) -> Runtime:
    """Return the same host with a limit on what it keeps of Strava's."""
    return replace(runtime, settings=limited(runtime.settings, days))


def limited(settings: Settings, days: int = 7) -> Settings:
    values = {**dict(settings), "strava_retention_days": days}
    return Settings.model_construct(**values)


def packing(stage: Stage, runner_id: int) -> Scene:
    exports.ask(stage.runtime, runner_id)
    return Scene(PAGE, runner_id)


def packed(stage: Stage, runner_id: int, *, days_ago: int = 0) -> Scene:
    exports.ask(stage.runtime, runner_id)
    exports.drain(stage.runtime)
    with stage.runtime.db.transaction() as session:
        ended_at = stage.clock() + exports.KEPT_FOR - timedelta(days=days_ago)
        session.execute(update(Export).values(expires_at=ended_at))
    return Scene(PAGE, runner_id)


def not_packed(stage: Stage, runner_id: int) -> Scene:
    exports.ask(stage.runtime, runner_id)
    with stage.runtime.db.transaction() as session:
        session.execute(update(Export).values(due_at=None))
    return Scene(PAGE, runner_id)


def kept(stage: Stage, runner_id: int, run_id: int, *, is_gone: bool = False) -> Scene:
    """Keep an answered run in the own log; Strava's record may be gone since."""
    strict_runtime = strict(stage.runtime)
    retained_runs.keep_for_run(strict_runtime, runner_id, run_id, keep=True)
    if is_gone:
        stage.pass_time(days=8)
        retention.tidy(strict_runtime)
    with stage.runtime.db.reading() as session:
        newest = select(Run.id).order_by(Run.started_at.desc()).limit(1)
        own_id = session.scalars(newest).one()
    return Scene(f"/runs/{own_id}", runner_id)


def letter(runtime: Runtime) -> Scene:
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
    return Scene(f"/mailbox/{Maildir(folder).add(mail)}")
