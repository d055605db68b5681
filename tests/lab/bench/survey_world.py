"""A world of runners whose runs go through the real policy and the real outbox.

The clock jumps from one thing that is due to the next; the mail server takes
every mail, and the runners read theirs and answer as is their habit.
"""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.database import Database, open_engine
from sync.errors import MoodmilesError
from sync.mail.deliver import deliver_due
from sync.models import Connection, Mail, Model, Run, Runner
from sync.preferences import Preferences
from sync.runners import preferences
from sync.runtime import Runtime, build
from sync.settings import Settings
from sync.surveys.answering import answer
from sync.surveys.sending import checkins, decide_runs
from sync.time_zones import get_zone
from sync.vocabulary import SealedColumn
from tests.lab.bench.runner_habits import (
    HABITS,
    GeneratedRun,
    RunnerHabit,
    generate_runs,
)
from tests.support.clock import ManualClock
from tests.support.recording_queue import RecordingQueue
from tests.support.smtp_servers import FakeSmtpServer, run_smtp_server

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday; both changes of the clock follow
HOUR = timedelta(hours=1)
_KEY = "a key for benches that is long enough"
_LINK = re.compile(rb"/s/([\w-]+)\?m=3D")
_CHOICE = re.compile(rb"settings\?ask=3D")


@dataclass
class SurveyWorld:
    runtime: Runtime
    clock: ManualClock
    mail_server: FakeSmtpServer
    rng: random.Random
    habits: dict[int, RunnerHabit] = field(default_factory=dict)
    uploads: list[tuple[datetime, int, int, GeneratedRun]] = field(default_factory=list)
    replies: list[tuple[datetime, int, str]] = field(default_factory=list)
    zones: dict[int, str] = field(default_factory=dict)  # of each mail, when sent

    def simulate_days(self, days: int) -> None:
        ends_at, hour = BEGIN + timedelta(days=days), BEGIN
        while (now := self._next(hour)) < ends_at:
            self.clock.at = max(self.clock.at, now)
            if hour <= now:
                checkins.process_due(self.runtime)
                hour += HOUR
            self._upload()
            self._reply()
            self._deliver()

    def _next(self, hour: datetime) -> datetime:
        """Return when something is due next."""
        with self.runtime.db.read_only() as session:
            mail = session.scalar(select(func.min(Mail.due_at)))
        moments = [
            hour,
            *(queue[0][0] for queue in (self.uploads, self.replies) if queue),
        ]
        return min([*moments, mail] if mail else moments)

    def _upload(self) -> None:
        if not self.uploads or self.uploads[0][0] > self.clock.at:
            return
        with self.runtime.db.transaction() as session:
            while self.uploads and self.uploads[0][0] <= self.clock.at:
                _, runner_id, _, run = heappop(self.uploads)
                session.add(_build_run(runner_id, run, now=self.clock.at))
        decide_runs.process_due(self.runtime)

    def _deliver(self) -> None:
        deliver_due(self.runtime)
        fresh = list(
            zip(self.mail_server.recipients, self.mail_server.raw_mails, strict=True)
        )
        # The server looks at all that it holds whenever somebody connects.
        self.mail_server.raw_mails.clear()
        self.mail_server.recipients.clear()
        for recipient, raw in fresh:
            self._read(int(recipient.partition("@")[0].removeprefix("runner")), raw)

    def _read(self, runner_id: int, raw: bytes) -> None:
        """Let a runner read a mail and decide whether, and when, to answer."""
        habit = self.habits[runner_id]
        now = self.clock.at
        self._note_zones(runner_id)
        link = _LINK.search(raw)
        day = (now - BEGIN).days
        if link is not None:
            if self.rng.random() < habit.answers_on(day):
                wait = timedelta(minutes=self.rng.expovariate(1 / 40))
                heappush(self.replies, (now + wait, runner_id, link[1].decode()))
        elif _CHOICE.search(raw) and habit.returns_after_silence:
            heappush(self.replies, (now + timedelta(days=20), runner_id, ""))

    def _note_zones(self, runner_id: int) -> None:
        """Note where the runner was when their newest mails came."""
        with self.runtime.db.read_only() as session:
            zone = session.scalars(
                select(Runner.zone).where(Runner.id == runner_id)
            ).one()
            sent = select(Mail.id).where(
                Mail.runner_id == runner_id, Mail.sent_at == self.clock.at
            )
            for mail_id in session.scalars(sent):
                self.zones.setdefault(mail_id, zone)

    def _reply(self) -> None:
        while self.replies and self.replies[0][0] <= self.clock.at:
            _, runner_id, token = heappop(self.replies)
            if not token:
                preferences.save_preferences(
                    self.runtime, runner_id, {"ask": "every-run"}
                )
                continue
            mood = self.rng.choice((-1, 0, 1, 1, 2))
            try:
                answer.record_answer(self.runtime, token=token, values={"mood": mood})
            except MoodmilesError:
                continue  # too late, or the question moved behind a second run


@contextmanager
def open_world(
    folder: Path, *, runners: int, days: int, seed: int = 1
) -> Iterator[SurveyWorld]:
    """Set a world up: tables, a mail server, and runners with habits."""
    with run_smtp_server(FakeSmtpServer()) as post:
        settings = Settings.model_construct(
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'world.sqlite3'}",
            redis_url="",
            public_url="http://127.0.0.1:8000",
            secret_keys=[SecretStr(_KEY)],
            smtp_url=SecretStr(post.url),
            mail_from="Moodmiles <runs@moodmiles.example>",
        )
        clock, queue = ManualClock(BEGIN), RecordingQueue()
        db = Database(open_engine(settings.sql_url), queue, clock=clock)
        Model.metadata.create_all(db.engine)
        runtime = replace(build(settings), db=db, queue=queue, now=clock)
        rng = random.Random(seed)  # noqa: S311
        survey_world = SurveyWorld(runtime, clock, post, rng)
        with db.transaction() as session:
            for number in range(runners):
                _add_runner(
                    survey_world, session, HABITS[number % len(HABITS)], days=days
                )
        yield survey_world
        db.close()


def _add_runner(
    world: SurveyWorld, session: Session, habit: RunnerHabit, *, days: int
) -> None:
    """Give one runner an account, a link to Strava and the year's runs."""
    seal = world.runtime.sealer.seal
    runner = Runner(
        created_at=BEGIN,
        vault_key=world.runtime.sealer.new_vault_key(),
        zone=habit.home,
        email_confirmed_at=BEGIN,
        preferences=Preferences(
            ask=habit.ask,
            delay_min=habit.delay_min,
            quiet_until=habit.quiet_until,
        ),
    )
    session.add(runner)
    session.flush()
    runner.email = seal(f"runner{runner.id}@example.org", SealedColumn.ADDRESS)
    session.add(
        Connection(
            runner_id=runner.id,
            scope="read,activity:read",
            access_token=seal("a", SealedColumn.STRAVA_ACCESS),
            refresh_token=seal("r", SealedColumn.STRAVA_REFRESH),
            expires_at=BEGIN,
            linked_at=BEGIN,
        )
    )
    world.habits[runner.id] = habit
    for run in generate_runs(habit, world.rng, begin=BEGIN, days=days):
        heappush(world.uploads, (run.uploaded_at, runner.id, run.number, run))


def _build_run(runner_id: int, run: GeneratedRun, *, now: datetime) -> Run:
    local = run.started_at.astimezone(get_zone(run.zone))
    offset = local.utcoffset() or timedelta(0)
    return Run(
        runner_id=runner_id,
        source="strava",
        source_id=run.number,
        sport="Run",
        started_at=run.started_at,
        start_known=True,
        zone=run.zone,
        offset_s=int(offset.total_seconds()),
        local_day=local.date(),
        distance_m=run.distance_m,
        moving_s=run.moving_s,
        elapsed_s=run.moving_s,
        treadmill=False,
        manual=run.manual,
        race=run.race,
        with_others=False,
        visibility="everyone",
        fetched_at=now,
        undecided_since=now,
    )
