"""The weekly digest: last week in one picture and one honest sentence."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from sync import account_state, analytics
from sync.analytics.dataset.overview import load_dashboard
from sync.analytics.dataset.run_rows import RunRow
from sync.language import LANGUAGES, activate_language
from sync.mail import outbox
from sync.models import Mail, Run, Runner
from sync.queue import Job
from sync.runners import signed_links
from sync.runtime import Runtime
from sync.time_zones import get_zone
from sync.vocabulary import MailKind

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel

log = structlog.get_logger()

WEEK = timedelta(days=7)
_EXPIRES_AFTER = timedelta(days=2)
_MORNING_HOUR = 8


def process_due(runtime: Runtime) -> None:
    """On the first morning of a week, promise a look back to whoever wants one."""
    runtime.queue.mark_started(Job.DIGEST)
    for runner_id, week_start in _find_due_runners(runtime):
        _enqueue_digest(runtime, runner_id, week_start)


def _find_due_runners(runtime: Runtime) -> list[tuple[int, date]]:
    """Return for whom a week has just begun, with the first day of the last one."""
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        rows = session.execute(
            select(Runner.id, Runner.zone, Runner.preferences).where(
                Runner.email_confirmed_at.is_not(None),
                Runner.email_bounced_at.is_(None),
                account_state.may_collect(Runner.id),
            )
        ).all()
        candidates = [
            (runner_id, week_start)
            for runner_id, zone, preferences in rows
            if preferences.digest
            and (
                week_start := _find_last_week(
                    now.astimezone(get_zone(zone)),
                    preferences.week_starts.weekday,
                )
            )
        ]
        keys = [
            _build_dedupe_key(runner_id, week_start)
            for runner_id, week_start in candidates
        ]
        enqueued_keys = set(
            session.scalars(select(Mail.dedupe_key).where(Mail.dedupe_key.in_(keys)))
        )
        return [
            (runner_id, week_start)
            for key, (runner_id, week_start) in zip(keys, candidates, strict=True)
            if key not in enqueued_keys and _has_runs(session, runner_id, week_start)
        ]


def _has_runs(session: Session, runner_id: int, week_start: date) -> bool:
    """Whether there is something to say: who did not run is not looked at further."""
    run = exists().where(
        Run.runner_id == runner_id,
        Run.counted,
        Run.hidden_at.is_(None),
        Run.local_day >= week_start,
        Run.local_day < week_start + WEEK,
    )
    return bool(session.scalar(select(run)))


def _find_last_week(local_now: datetime, week_starts_on: int) -> date | None:
    if local_now.weekday() != week_starts_on or local_now.hour < _MORNING_HOUR:
        return None
    return local_now.date() - WEEK


def _enqueue_digest(runtime: Runtime, runner_id: int, week_start: date) -> None:
    overview = load_dashboard(runtime, runner_id)
    runs = [
        run for run in overview.runs if week_start <= run.local_day < week_start + WEEK
    ]
    if not runs:
        return  # nothing to say
    values = _build_mail_values(week_start, runs) | {
        "sentence": _render_all_languages(
            analytics.load_figures(runtime, runner_id).mileage
        ),
        "unsubscribe_token": signed_links.create_token(
            runtime, runner_id, purpose=signed_links.UNSUBSCRIBE
        ),
    }
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        runner = session.get(Runner, runner_id)
        if runner is None:
            return
        outbox.enqueue_mail(
            session,
            sealer=runtime.sealer,
            now=now,
            dedupe_key=_build_dedupe_key(runner_id, week_start),
            kind=MailKind.DIGEST,
            runner_id=runner_id,
            values=values
            | {
                "units": runner.preferences.units,
                "first_weekday": week_start.weekday(),
            },
            stale_at=now + _EXPIRES_AFTER,
        )
    log.info("digest promised", runner_id=runner_id)


def _build_mail_values(week_start: date, runs: list[RunRow]) -> dict[str, Any]:
    days = [week_start + timedelta(days=offset) for offset in range(7)]
    return {
        "distances_m": [
            sum(run.distance_m for run in runs if run.local_day == day) for day in days
        ],
        "moods": [
            [run.mood for run in runs if run.local_day == day and run.mood is not None]
            for day in days
        ],
        "runs": len(runs),
    }


def _render_all_languages(panel: "Panel") -> dict[str, str]:
    """Say it in each language: which one the mail speaks is known when it leaves."""
    sentences = {}
    for language in LANGUAGES:
        with activate_language(language):
            sentences[language] = panel.sentence
    return sentences


def _build_dedupe_key(runner_id: int, week_start: date) -> str:
    return f"digest:{runner_id}:{week_start.isoformat()}"
