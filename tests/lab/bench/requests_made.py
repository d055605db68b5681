"""How many requests a fixed story costs: `python -m tests.lab.bench.requests_made`.

One runner with 10,000 activities; then 100 new runs, 100 renames, 50 flips of
privacy and 50 deletes, each told as Strava tells it.
"""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from sync.simulator import activities, seed
from sync.simulator.records import Activity
from tests.lab.bench.standalone_harness import staged
from tests.support.harness import Stage

ACTIVITIES = 10_000
MOST = {"backfill": 51, "new run": 100, "rename": 0, "flip": 0, "delete": 50}


def main() -> int:
    with TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        made = story(stage)
    for chapter, requests in made.items():
        print(f"{chapter:10} {requests:4} requests, at most {MOST[chapter]}")
    return int(any(made[chapter] > MOST[chapter] for chapter in MOST))


def story(stage: Stage) -> Counter[str]:
    """Live through it and return the requests of each chapter."""
    made: Counter[str] = Counter()
    athlete = stage.athlete()
    with stage.world.change():
        for number in range(ACTIVITIES):
            stage.world.put_activity(_past(stage, athlete.id, number))
    began, before = perf_counter(), stage.reads()
    stage.link(athlete, scope="read,activity:read_all")
    stage.work()
    made["backfill"] = stage.reads() - before
    print(f"{ACTIVITIES} activities imported in {perf_counter() - began:.1f} s")

    runs = []
    for _ in range(100):
        stage.pass_time(hours=7)
        runs.append(stage.run(athlete))
        _tell(stage, made, "new run", runs[-1], "create")
    for run in runs:
        _tell(stage, made, "rename", run, "update", title="Another")
    for run in runs[:50]:
        with stage.world.change():
            activities.edit(stage.world, run, activities.Edit(visibility="only_me"))
        _tell(stage, made, "flip", run, "update", private="true")
    for run in runs[50:]:
        with stage.world.change():
            activities.delete(stage.world, run)
        _tell(stage, made, "delete", run, "delete")
    return made


def _tell(
    stage: Stage,
    made: Counter[str],
    chapter: str,
    run: Activity,
    aspect: str,
    **updates: str,
) -> None:
    before = stage.reads()
    stage.pass_time(minutes=15)
    stage.tell(activities.find_athlete(stage.world, 7), run.id, aspect, **updates)
    stage.work()
    made[chapter] += stage.reads() - before


def _past(stage: Stage, athlete_id: int, number: int) -> Activity:
    pattern = Activity(
        id=stage.world.next_id("activity"),
        athlete_id=athlete_id,
        name="Run",
        sport_type="Ride" if number % 10 == 0 else "Run",
        start_s=stage.world.now_s() - 86_400 - number * 30_000,
        zone=seed.HOME,
        distance_m=5000.0,
        moving_s=1800,
        elapsed_s=1800,
    )
    return replace(pattern, distance_m=3000.0 + number % 70 * 100)


if __name__ == "__main__":
    sys.exit(main())
