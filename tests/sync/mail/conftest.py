"""An outbox in a real database, with a clock that the test moves."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from sync.crypto import hash_token
from sync.database import Database
from sync.mail import outbox
from sync.models import Mail, Runner, Survey
from sync.runtime import Runtime, build
from sync.settings import Settings
from sync.vocabulary import MailKind, SealedColumn
from tests.conftest import KEY, get_engine, prepare_empty_database
from tests.support.clock import ManualClock
from tests.support.recording_queue import RecordingQueue
from tests.support.smtp_servers import FakeSmtpServer, run_smtp_server

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass
class OutboxHarness:
    """The outbox as a test uses it: promise, look, and a runner to write to."""

    runtime: Runtime
    queue: RecordingQueue
    clock: ManualClock
    runner_id: int = 0
    survey_id: int = 0

    def use_smtp_server(self, smtp_url: str) -> None:
        """Send by this server from now on."""
        url = self.runtime.settings.database_url
        settings = build_settings(url, smtp_url=smtp_url)
        self.runtime = replace(self.runtime, settings=settings)

    def enqueue(self, key: str = "survey:1", **changes: Any) -> bool:
        values: dict[str, Any] = {
            "dedupe_key": key,
            "kind": MailKind.SURVEY,
            "runner_id": self.runner_id,
            "values": build_survey_values(),
            "stale_at": NOON + timedelta(hours=20),
        }
        with self.runtime.db.transaction() as session:
            return outbox.enqueue_mail(
                session,
                sealer=self.runtime.sealer,
                now=self.clock(),
                **values | changes,
            )

    def get_mail(self, key: str = "survey:1") -> Mail:
        with self.runtime.db.read_only() as session:
            return session.query(Mail).filter_by(dedupe_key=key).one()

    def get_runner(self) -> Runner:
        with self.runtime.db.read_only() as session:
            return session.get_one(Runner, self.runner_id)

    def get_survey(self) -> Survey:
        with self.runtime.db.read_only() as session:
            return session.get_one(Survey, self.survey_id)

    def update_runner(self, **columns: Any) -> None:
        """Change the runner's row."""
        with self.runtime.db.transaction() as session:
            self._set_columns(session.get_one(Runner, self.runner_id), columns)

    def update_survey(self, **columns: Any) -> None:
        with self.runtime.db.transaction() as session:
            self._set_columns(session.get_one(Survey, self.survey_id), columns)

    def _set_columns(self, row: object, columns: dict[str, Any]) -> None:
        for name, value in columns.items():
            setattr(row, name, value)


def build_survey_values(**changes: Any) -> dict[str, Any]:
    return {
        "token": "survey-token",
        "unsubscribe_token": "unsubscribe-token",
        "expires_at": NOON + timedelta(hours=21),
        "zone": "Europe/London",
        "run_started_at": NOON - timedelta(hours=4),
    } | changes


@pytest.fixture
def post() -> Generator[FakeSmtpServer]:
    with run_smtp_server() as post:
        yield post


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return prepare_empty_database(request, request.param)


@pytest.fixture
def outbox_harness(
    database_url: str, post: FakeSmtpServer, clock: ManualClock, queue: RecordingQueue
) -> Generator[OutboxHarness]:
    """Return an outbox, its runner with a confirmed address, and one survey."""
    settings = build_settings(database_url, smtp_url=post.url)
    db = Database(get_engine(settings.sql_url), queue, clock=clock)
    runtime = replace(build(settings), db=db, queue=queue, now=clock)
    outbox_harness = OutboxHarness(runtime, queue, clock)
    with db.transaction() as session:
        outbox_harness.runner_id = add_runner(session, runtime).id
        outbox_harness.survey_id = add_survey(session, outbox_harness.runner_id).id
    yield outbox_harness
    db.close()


def build_settings(database_url: str, *, smtp_url: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "secret_keys": KEY,
            "smtp_url": smtp_url,
            "public_url": "https://moodmiles.example",
            "mail_from": "Moodmiles <runs@mail.moodmiles.example>",
        }
    )


def add_runner(session: Session, runtime: Runtime) -> Runner:
    runner = Runner(
        created_at=NOON,
        vault_key=runtime.sealer.new_vault_key(),
        zone="Europe/London",
        email=runtime.sealer.seal("sam@example.org", SealedColumn.ADDRESS),
        email_confirmed_at=NOON,
    )
    session.add(runner)
    session.flush()
    return runner


def add_survey(session: Session, runner_id: int) -> Survey:
    survey = Survey(
        runner_id=runner_id,
        kind="run",
        token_hash=hash_token("survey-token"),
        instrument="mood/1",
        reversed_order=False,
        created_at=NOON,
        send_at=NOON,
        expires_at=NOON + timedelta(hours=21),
    )
    session.add(survey)
    session.flush()
    return survey
