"""The weekly digest: last week in one picture and one honest sentence."""

from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select

from sync.analytics.figures import figures_for
from sync.analytics.overview import RunRow, dashboard
from sync.mail import outbox, quiet
from sync.models import Mail, Runner
from sync.queue import Work
from sync.runners import links
from sync.runtime import Runtime

log = structlog.get_logger()

WEEK = timedelta(days=7)
_KEEPS = timedelta(days=2)
_MORNING = 8


def drain(runtime: Runtime) -> None:
    """On Mondays, promise the digest to each runner who asked for one."""
    runtime.queue.woken(Work.DIGEST)
    for runner_id, monday in _waiting(runtime):
        _promise(runtime, runner_id, monday)


def _waiting(runtime: Runtime) -> list[tuple[int, date]]:
    """Return whose Monday morning it is, with the Monday before it."""
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        rows = session.execute(
            select(Runner.id, Runner.zone, Runner.preferences).where(
                Runner.email_confirmed_at.is_not(None),
                Runner.email_bounced_at.is_(None),
            )
        ).all()
        wanted = [
            (runner_id, monday)
            for runner_id, zone, preferences in rows
            if preferences.get("digest")
            and (monday := _last_monday(now.astimezone(quiet.zone_of(zone))))
        ]
        return [
            (runner_id, monday)
            for runner_id, monday in wanted
            if not session.scalar(
                select(Mail.id).where(Mail.dedupe_key == _key(runner_id, monday))
            )
        ]


def _last_monday(local: datetime) -> date | None:
    if local.weekday() != 0 or local.hour < _MORNING:
        return None
    return local.date() - WEEK


def _promise(runtime: Runtime, runner_id: int, monday: date) -> None:
    data = dashboard(runtime, runner_id)
    runs = [run for run in data.runs if monday <= run.local_day < monday + WEEK]
    if not runs:
        return  # nothing to say
    values = _values(monday, runs) | {
        "sentence": figures_for(runtime, runner_id).mileage.sentence,
        "unsubscribe_token": links.token_for(
            runtime, runner_id, purpose=links.UNSUBSCRIBE
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
            dedupe_key=_key(runner_id, monday),
            kind="digest",
            runner_id=runner_id,
            values=values | {"units": runner.preferences.get("units", "km")},
            stale_at=now + _KEEPS,
        )
    log.info("digest promised", runner_id=runner_id)


def _values(monday: date, runs: list[RunRow]) -> dict[str, Any]:
    days = [monday + timedelta(days=number) for number in range(7)]
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


def _key(runner_id: int, monday: date) -> str:
    return f"digest:{runner_id}:{monday.isoformat()}"
