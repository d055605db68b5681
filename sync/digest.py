"""The weekly digest: last week in one picture and one honest sentence."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from typing_extensions import override

from sync import account_state, analytics, work
from sync.analytics.dataset.overview import load_dashboard
from sync.conflicts import retry_conflicts
from sync.language import LANGUAGES, activate_language
from sync.mail import outbox
from sync.models import RUN_IS_IN_FIGURES, Mail, Run, Runner
from sync.queue import Job
from sync.runners import signed_links
from sync.runtime import Runtime
from sync.time_zones import get_zone
from sync.vocabulary import MailKind, SignedLinkPurpose
from sync.work import RunnerDueWork, RunnerRange, RunnerTask

log = structlog.get_logger()

WEEK = timedelta(days=7)
_EXPIRES_AFTER = timedelta(days=2)
_MORNING_HOUR = 8


class DigestWork(RunnerDueWork[date]):
    """Runners for whom a week has just begun, with the first day of the last one."""

    job = Job.DIGEST

    @override
    def find_due(
        self, session: Session, *, now: datetime, runners: RunnerRange
    ) -> list[RunnerTask[date]]:
        rows = session.execute(
            select(Runner.id, Runner.zone, Runner.preferences).where(
                Runner.email_confirmed_at.is_not(None),
                Runner.email_bounced_at.is_(None),
                account_state.may_collect(Runner.id),
                runners.includes(Runner.id),
            )
        ).all()
        week_by_key = {}
        for runner_id, zone, preferences in rows:
            local_now = now.astimezone(get_zone(zone))
            is_first_morning = (
                local_now.weekday() == preferences.week_starts.weekday
                and local_now.hour >= _MORNING_HOUR
            )
            if is_first_morning and preferences.digest:
                task = RunnerTask(runner_id, local_now.date() - WEEK)
                week_by_key[_build_dedupe_key(runner_id, task.detail)] = task
        enqueued_keys = set(
            session.scalars(
                select(Mail.dedupe_key).where(Mail.dedupe_key.in_(week_by_key))
            )
        )
        return [
            task
            for key, task in week_by_key.items()
            if key not in enqueued_keys
            and _has_runs(session, task.runner_id, task.detail)
        ]

    @override
    def handle(self, runtime: Runtime, item: RunnerTask[date]) -> None:
        values = _build_mail_values(runtime, item.runner_id, item.detail)
        self.enqueue(runtime, item, values)

    @retry_conflicts
    def enqueue(
        self, runtime: Runtime, item: RunnerTask[date], values: Mapping[str, object]
    ) -> None:
        """Enqueue the digest, if the week has one, and settle the task."""
        runner_id, week_start = item.runner_id, item.detail
        with runtime.db.transaction() as session:
            now = runtime.db.now(session)
            runner = session.get(Runner, runner_id)
            if values and runner is not None:
                outbox.enqueue_mail(
                    session,
                    sealer=runtime.sealer,
                    now=now,
                    dedupe_key=_build_dedupe_key(runner_id, week_start),
                    kind=MailKind.DIGEST,
                    runner_id=runner_id,
                    values={**values, "units": runner.preferences.units},
                    stale_at=now + _EXPIRES_AFTER,
                )
                log.info("digest enqueued", runner_id=runner_id)
            self.settle(session, item)


def process_due(runtime: Runtime) -> None:
    """On the first morning of a week, enqueue a digest for each runner who has one."""
    work.process_due(runtime, DigestWork())


def _has_runs(session: Session, runner_id: int, week_start: date) -> bool:
    """Whether the week has a run that counts; without one there is no digest."""
    run = exists().where(
        Run.runner_id == runner_id,
        RUN_IS_IN_FIGURES,
        Run.local_day >= week_start,
        Run.local_day < week_start + WEEK,
    )
    return bool(session.scalar(select(run)))


def _build_mail_values(
    runtime: Runtime, runner_id: int, week_start: date
) -> dict[str, object]:
    """Return what the digest of a week says; nothing if the week has no run."""
    overview = load_dashboard(runtime, runner_id)
    runs = [
        run for run in overview.runs if week_start <= run.local_day < week_start + WEEK
    ]
    if not runs:
        return {}
    days = [week_start + timedelta(days=offset) for offset in range(7)]
    panel = analytics.load_figures(runtime, runner_id).mileage
    # In each language: which one the mail is written in is known when it leaves.
    sentences = {}
    for language in LANGUAGES:
        with activate_language(language):
            sentences[language] = panel.sentence
    return {
        "distances_m": [
            sum(run.distance_m for run in runs if run.local_day == day) for day in days
        ],
        "moods": [
            [run.mood for run in runs if run.local_day == day and run.mood is not None]
            for day in days
        ],
        "runs": len(runs),
        "sentence": sentences,
        "unsubscribe_token": signed_links.create_token(
            runtime, runner_id, purpose=SignedLinkPurpose.UNSUBSCRIBE
        ),
        "first_weekday": week_start.weekday(),
    }


def _build_dedupe_key(runner_id: int, week_start: date) -> str:
    return f"digest:{runner_id}:{week_start.isoformat()}"
