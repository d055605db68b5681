"""An outbox in a real database, with a clock that the test moves."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from sync.crypto import token_hash
from sync.database import Database
from sync.mail import outbox
from sync.models import Mail, Runner, Survey
from sync.runtime import Runtime, build
from sync.settings import Settings
from tests.conftest import KEY, empty_tables, engine_for
from tests.support.clock import HandClock
from tests.support.recording_queue import RecordingQueue
from tests.support.smtp_servers import Post, listening

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass
class Office:
    """The outbox as a test uses it: promise, look, and a runner to write to."""

    runtime: Runtime
    queue: RecordingQueue
    clock: HandClock
    runner_id: int = 0
    survey_id: int = 0

    def use(self, smtp_url: str) -> None:
        """Send by this server from now on."""
        url = self.runtime.settings.database_url
        settings = settings_for(url, smtp_url=smtp_url)
        self.runtime = replace(self.runtime, settings=settings)

    def promise(self, key: str = "survey:1", **changes: Any) -> bool:
        promised: dict[str, Any] = {
            "dedupe_key": key,
            "kind": "survey",
            "runner_id": self.runner_id,
            "values": survey_values(),
            "stale_at": NOON + timedelta(hours=20),
        }
        with self.runtime.db.transaction() as session:
            return outbox.promise(
                session,
                sealer=self.runtime.sealer,
                now=self.clock(),
                **promised | changes,
            )

    def mail(self, key: str = "survey:1") -> Mail:
        with self.runtime.db.reading() as session:
            return session.query(Mail).filter_by(dedupe_key=key).one()

    def runner(self) -> Runner:
        with self.runtime.db.reading() as session:
            return session.get_one(Runner, self.runner_id)

    def survey(self) -> Survey:
        with self.runtime.db.reading() as session:
            return session.get_one(Survey, self.survey_id)

    def change(self, **columns: Any) -> None:
        """Change the runner's row."""
        with self.runtime.db.transaction() as session:
            self._set(session.get_one(Runner, self.runner_id), columns)

    def change_survey(self, **columns: Any) -> None:
        with self.runtime.db.transaction() as session:
            self._set(session.get_one(Survey, self.survey_id), columns)

    def _set(self, row: object, columns: dict[str, Any]) -> None:
        for name, value in columns.items():
            setattr(row, name, value)


def survey_values(**changes: Any) -> dict[str, Any]:
    return {
        "token": "survey-token",
        "unsubscribe_token": "unsubscribe-token",
        "expires_at": NOON + timedelta(hours=21),
        "zone": "Europe/London",
        "run_started_at": NOON - timedelta(hours=4),
    } | changes


@pytest.fixture
def post() -> Generator[Post]:
    with listening() as post:
        yield post


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return empty_tables(request, request.param)


@pytest.fixture
def office(
    database_url: str, post: Post, clock: HandClock, queue: RecordingQueue
) -> Generator[Office]:
    """Return an outbox, its runner with a confirmed address, and one survey."""
    settings = settings_for(database_url, smtp_url=post.url)
    db = Database(engine_for(settings.sql_url), queue, clock=clock)
    runtime = replace(build(settings), db=db, queue=queue, now=clock)
    office = Office(runtime, queue, clock)
    with db.transaction() as session:
        office.runner_id = new_runner(session, runtime).id
        office.survey_id = new_survey(session, office.runner_id).id
    yield office
    db.close()


def settings_for(database_url: str, *, smtp_url: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "secret_keys": KEY,
            "smtp_url": smtp_url,
            "public_url": "https://moodmiles.example",
            "mail_from": "Moodmiles <runs@mail.moodmiles.example>",
        }
    )


def new_runner(session: Session, runtime: Runtime) -> Runner:
    runner = Runner(
        created_at=NOON,
        vault_key=runtime.sealer.new_vault_key(),
        zone="Europe/London",
        email=runtime.sealer.seal("sam@example.org"),
        email_confirmed_at=NOON,
    )
    session.add(runner)
    session.flush()
    return runner


def new_survey(session: Session, runner_id: int) -> Survey:
    survey = Survey(
        runner_id=runner_id,
        kind="run",
        token_hash=token_hash("survey-token"),
        instrument="mood/1",
        reversed_order=False,
        created_at=NOON,
        send_at=NOON,
        expires_at=NOON + timedelta(hours=21),
    )
    session.add(survey)
    session.flush()
    return survey
