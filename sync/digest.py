"""The weekly digest: last week in one picture and one honest sentence."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from sync import account_state, analytics
from sync.analytics.dataset.overview import dashboard
from sync.analytics.dataset.run_rows import RunRow
from sync.analytics.dataset.weeks import first_weekday
from sync.language import LANGUAGES, speaking
from sync.mail import outbox, quiet_hours
from sync.models import Mail, Run, Runner
from sync.queue import Work
from sync.runners import signed_links
from sync.runtime import Runtime

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel

log = structlog.get_logger()

WEEK = timedelta(days=7)
_KEEPS = timedelta(days=2)
_MORNING = 8


def drain(runtime: Runtime) -> None:
    """On the first morning of a week, promise a look back to whoever wants one."""
    runtime.queue.woken(Work.DIGEST)
    for runner_id, began in _waiting(runtime):
        _promise(runtime, runner_id, began)


def _waiting(runtime: Runtime) -> list[tuple[int, date]]:
    """Return for whom a week has just begun, with the first day of the last one."""
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        rows = session.execute(
            select(Runner.id, Runner.zone, Runner.preferences).where(
                Runner.email_confirmed_at.is_not(None),
                Runner.email_bounced_at.is_(None),
                account_state.may_collect(Runner.id),
            )
        ).all()
        wanted = [
            (runner_id, began)
            for runner_id, zone, preferences in rows
            if preferences.get("digest")
            and (
                began := _last_week(
                    now.astimezone(quiet_hours.zone_of(zone)),
                    first_weekday(preferences),
                )
            )
        ]
        keys = [_key(runner_id, began) for runner_id, began in wanted]
        promised = set(
            session.scalars(select(Mail.dedupe_key).where(Mail.dedupe_key.in_(keys)))
        )
        return [
            (runner_id, began)
            for key, (runner_id, began) in zip(keys, wanted, strict=True)
            if key not in promised and _ran(session, runner_id, began)
        ]


def _ran(session: Session, runner_id: int, began: date) -> bool:
    """Whether there is something to say: who did not run is not looked at further."""
    run = exists().where(
        Run.runner_id == runner_id,
        Run.counted,
        Run.hidden_at.is_(None),
        Run.local_day >= began,
        Run.local_day < began + WEEK,
    )
    return bool(session.scalar(select(run)))


def _last_week(local: datetime, first: int) -> date | None:
    if local.weekday() != first or local.hour < _MORNING:
        return None
    return local.date() - WEEK


def _promise(runtime: Runtime, runner_id: int, began: date) -> None:
    data = dashboard(runtime, runner_id)
    runs = [run for run in data.runs if began <= run.local_day < began + WEEK]
    if not runs:
        return  # nothing to say
    values = _values(began, runs) | {
        "sentence": _in_every_language(
            analytics.figures_for(runtime, runner_id).mileage
        ),
        "unsubscribe_token": signed_links.token_for(
            runtime, runner_id, purpose=signed_links.UNSUBSCRIBE
        ),
    }
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        runner = session.get(Runner, runner_id)
        if runner is None:
            return
        outbox.promise(
            session,
            sealer=runtime.sealer,
            now=now,
            dedupe_key=_key(runner_id, began),
            kind="digest",
            runner_id=runner_id,
            values=values
            | {
                "units": runner.preferences.get("units", "km"),
                "first_weekday": began.weekday(),
            },
            stale_at=now + _KEEPS,
        )
    log.info("digest promised", runner_id=runner_id)


def _values(began: date, runs: list[RunRow]) -> dict[str, Any]:
    days = [began + timedelta(days=number) for number in range(7)]
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


def _in_every_language(panel: "Panel") -> dict[str, str]:
    """Say it in each language: which one the mail speaks is known when it leaves."""
    said = {}
    for language in LANGUAGES:
        with speaking(language):
            said[language] = panel.sentence
    return said


def _key(runner_id: int, began: date) -> str:
    return f"digest:{runner_id}:{began.isoformat()}"
