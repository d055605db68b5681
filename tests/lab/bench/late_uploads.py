"""What old runs cost when uploaded at once: `python -m tests.lab.bench.late_uploads`.

A runner with 210 newer runs uploads 10, 60 or 500 old ones: in the order of their days,
backwards, or strewn over years of other runs; all events at once, or 25 a minute.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from sync.inbox import handle
from sync.models import Event, Run
from sync.runs import backfill, reconcile
from sync.simulator import seed
from sync.simulator.records import Activity, Athlete
from tests.lab.bench.standalone_harness import open_harness
from tests.support.harness import Harness

NEWER = 210
DAY_S = 86_400
HORIZON_MIN = 8 * 60
COUNTS = (10, 60, 500)
ORDERS = ("forward", "backward", "shuffled", "strewn")


def main(counts: Sequence[int] = COUNTS, orders: Sequence[str] = ORDERS) -> int:
    for old_count in counts:
        for order in orders:
            for per_minute in (old_count, 25):
                with (
                    TemporaryDirectory() as folder,
                    open_harness(Path(folder)) as harness,
                ):
                    reads, minutes = measure(harness, old_count, order, per_minute)
                print(
                    f"{old_count:4} {order:9} {per_minute:4} a minute: "
                    f"{reads:4} reads, all there after {minutes} min"
                )
    return 0


def measure(
    harness: Harness, old_count: int, order: str, per_minute: int
) -> tuple[int, int]:
    """Return the reads until all old runs are stored, and the minutes it took."""
    athlete = harness.add_athlete()
    link_with_past(harness, athlete, strewn=3000 if order == "strewn" else 0)
    before = harness.count_strava_reads()
    uploads = upload_old_runs(harness, athlete, old_count, order)
    waiting = list(uploads)
    minute = 0
    while minute < HORIZON_MIN:
        for activity in waiting[:per_minute]:
            harness.deliver_event(athlete, activity.id, "create")
        waiting = waiting[per_minute:]
        process_all_due(harness)
        if not waiting and are_stored(harness, uploads) and not count_waiting(harness):
            return harness.count_strava_reads() - before, minute
        step = 1 if waiting else 5
        harness.advance_clock(minutes=step)
        minute += step
    return harness.count_strava_reads() - before, HORIZON_MIN


def link_with_past(harness: Harness, athlete: Athlete, *, strewn: int = 0) -> None:
    """Link a runner whose newer runs, and others far back, are imported."""
    now_s = harness.world.now_s()
    with harness.world.transaction():
        for number in range(NEWER):
            put_run(harness, athlete, now_s - DAY_S - number * 30_000)
        for number in range(strewn):
            put_run(harness, athlete, now_s - 200 * DAY_S - number * DAY_S)
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(hours=1)


def upload_old_runs(
    harness: Harness, athlete: Athlete, count: int, order: str
) -> Sequence[Activity]:
    """Upload runs older than all others; their ids follow the order given."""
    oldest_s = harness.world.now_s() - 3400 * DAY_S
    starts = [oldest_s + number * DAY_S for number in range(count)]
    if order == "strewn":
        step_s = 3000 * DAY_S // count
        starts = [oldest_s + 190 * DAY_S + n * step_s + 7200 for n in range(count)]
    if order == "backward":
        starts.reverse()
    elif order in ("shuffled", "strewn"):
        Random(7).shuffle(starts)  # noqa: S311 - no secret
    with harness.world.transaction():
        return [put_run(harness, athlete, start_s) for start_s in starts]


def put_run(harness: Harness, athlete: Athlete, start_s: int) -> Activity:
    activity = Activity(
        id=harness.world.next_id("activity"),
        athlete_id=athlete.id,
        name="Run",
        sport_type="Run",
        start_s=start_s,
        zone=seed.HOME_ZONE,
        distance_m=5000.0,
        moving_s=1800,
        elapsed_s=1800,
    )
    harness.world.put_activity(activity)
    return activity


def process_all_due(harness: Harness) -> None:
    handle.process_due(harness.runtime)
    backfill.process_due(harness.runtime)
    reconcile.process_due(harness.runtime)


def are_stored(harness: Harness, uploads: Sequence[Activity]) -> bool:
    ids = {activity.id for activity in uploads}
    with harness.runtime.db.read_only() as session:
        return ids <= set(session.scalars(select(Run.source_id)))


def count_waiting(harness: Harness) -> int:
    with harness.runtime.db.read_only() as session:
        return (
            session.scalar(select(func.count()).where(Event.due_at.is_not(None))) or 0
        )


if __name__ == "__main__":
    sys.exit(main())
