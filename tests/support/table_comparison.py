"""Whether our tables are the simulated world's, column by column."""

from typing import Any

from sqlalchemy import select

from sync.models import Decision, Mail, Run, Survey
from sync.runs.rules import to_columns
from sync.simulator import shapes
from sync.simulator.world import World
from sync.strava import RemoteRun
from sync.strava.parse import parse_activity
from tests.support.harness import Harness

Rows = dict[int, dict[str, Any]]


def expected_rows(world: World, *, sees_private: bool = False) -> Rows:
    """Return what each run's row should say, from Strava's own records."""
    records = (
        parse_activity(shapes.build_activity_summary(activity))
        for activity in world.iter_activities()
        if sees_private or not activity.is_private
    )
    return {run.id: to_columns(run) for run in records if isinstance(run, RemoteRun)}


def stored_rows(harness: Harness) -> Rows:
    names = [
        "source_id",
        "source",
        "sport",
        "started_at",
        "start_known",
        "zone",
        "offset_s",
        "local_day",
        "distance_m",
        "moving_s",
        "elapsed_s",
        "elevation_m",
        "treadmill",
        "manual",
        "race",
        "with_others",
        "device",
        "visibility",
    ]
    with harness.runtime.db.read_only() as session:
        rows = session.execute(
            select(*(Run.__table__.c[name] for name in names)).where(
                Run.hidden_at.is_(None)
            )
        ).mappings()
        return {row["source_id"]: dict(row) for row in rows}


def list_surveyed_runs(harness: Harness) -> list[int]:
    """Return the run of every survey mail ever promised."""
    with harness.runtime.db.read_only() as session:
        return list(
            session.scalars(
                select(Run.source_id)
                .join(Survey, Survey.run_id == Run.id)
                .join(Mail, Mail.survey_id == Survey.id)
                .where(Mail.kind == "survey")
            )
        )


def count_undecided(harness: Harness) -> int:
    with harness.runtime.db.read_only() as session:
        decided = select(Decision.run_id)
        return len(session.scalars(select(Run.id).where(Run.id.not_in(decided))).all())
