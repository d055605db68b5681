"""Runs that no figure counts, because their recorder got time or distance wrong."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sync.models import RUN_IS_VISIBLE, Run
from sync.vocabulary import DecisionReason, RunSource

_MAX_SHOWN = 50


class LeftOutRun(NamedTuple):
    """One run that is left out; its times are what its recorder said.

    `reason` says why; `started_local` is None if the time of day is hidden.
    """

    id: int
    strava_id: int | None
    sport: str
    local_day: date
    started_local: datetime | None
    distance_m: float
    moving_s: int
    treadmill: bool
    race: bool
    with_others: bool
    manual: bool
    reason: DecisionReason


def load_left_out(session: Session, runner_id: int) -> Sequence[LeftOutRun]:
    """Return the runner's latest runs that are left out, the last one first."""
    runs = session.scalars(
        select(Run)
        .where(
            Run.runner_id == runner_id,
            or_(Run.clock_ahead, Run.implausible),
            RUN_IS_VISIBLE,
        )
        .order_by(Run.first_seen_at.desc(), Run.id.desc())
        .limit(_MAX_SHOWN)
    )
    return [
        LeftOutRun(
            id=run.id,
            strava_id=run.source_id if run.source is RunSource.STRAVA else None,
            sport=run.sport,
            local_day=run.local_day,
            started_local=run.started_local,
            distance_m=run.distance_m,
            moving_s=run.moving_s,
            treadmill=run.treadmill,
            race=run.race,
            with_others=run.with_others,
            manual=run.manual,
            reason=run.left_out_for,
        )
        for run in runs
        if run.left_out_for
    ]
